//! Giving up root's rights.

use std::ffi::CString;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use nix::unistd::{Gid, Group, Uid, User, chown, initgroups, setgid, setuid};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_keep_capabilities};

/// Becomes the user of `user name [group]`; nginx's default is `nobody`. Only root can, and must.
/// The log files become the user's, and of root's rights only that to ports under 1024 is kept, so
/// that a reload can still open them. To be called before there are threads.
pub(crate) fn become_user(words: Option<&[String]>, logs: &[PathBuf]) -> Result<()> {
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
    for log in logs {
        // One that is not the user's is written all the same; only opening it anew would fail.
        let _ = chown(log, Some(user.uid), None);
    }
    set_keep_capabilities(true).context("prctl(PR_SET_KEEPCAPS) failed")?;
    initgroups(&CString::new(name)?, gid).context("initgroups() failed")?;
    setgid(gid).context("setgid() failed")?;
    setuid(user.uid).context("setuid() failed")?;
    let kept = CapabilitySet::NET_BIND_SERVICE;
    let inheritable = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: kept, permitted: kept, inheritable })
        .context("capset() failed")
}
