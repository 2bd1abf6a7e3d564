//! Giving up root's rights.

use std::ffi::CString;

use anyhow::{Context, Result, anyhow};
use nix::unistd::{Gid, Group, Uid, User, initgroups, setgid, setuid};

/// Becomes the user of `user name [group]`; nginx's default is `nobody`. Only root can, and must.
pub(crate) fn become_user(words: Option<&[String]>) -> Result<()> {
    if !Uid::effective().is_root() {
        return Ok(());
    }
    let name = words.and_then(|words| words.first()).map_or("nobody", String::as_str);
    let user = User::from_name(name)
        .with_context(|| format!("getpwnam(\"{name}\") failed"))?
        .ok_or_else(|| anyhow!("getpwnam(\"{name}\") failed: there is no such user"))?;
    let gid: Gid = match words.and_then(|words| words.get(1)) {
        None => user.gid,
        Some(group) => {
            Group::from_name(group)
                .with_context(|| format!("getgrnam(\"{group}\") failed"))?
                .ok_or_else(|| anyhow!("getgrnam(\"{group}\") failed: there is no such group"))?
                .gid
        }
    };
    if user.uid.is_root() {
        return Ok(());
    }
    initgroups(&CString::new(name)?, gid).context("initgroups() failed")?;
    setgid(gid).context("setgid() failed")?;
    setuid(user.uid).context("setuid() failed")
}
