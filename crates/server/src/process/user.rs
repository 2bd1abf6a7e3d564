//! Giving up root's rights, and what must be done before.

use std::ffi::CString;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use nix::unistd::{Gid, Group, Uid, User, chown, fchown, initgroups, setgid, setuid};
use rustix::fs::{Mode, OFlags, fstat, open};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::thread::{
    CapabilitySet, CapabilitySets, set_capabilities, set_keep_capabilities, set_no_new_privs,
};
use tidegate_config::Config;
use tidegate_config::block::Location;
use tidegate_config::block::main::Process;
use tidegate_config::http::forward::Forward;

/// Becomes the user of `user name [group]`, where there is one process alone; nginx's default is
/// `nobody`. Only root can, and must. The log files become the user's, and of root's rights only
/// that to ports under 1024 is kept, so that a reload can still open them. To be called before
/// there are threads.
pub(crate) fn become_user(config: &Config, logs: &[PathBuf]) -> Result<()> {
    let words = config.main.process.user.as_deref();
    if let Some(user) = of_workers(words) {
        for log in logs {
            // One that is not the user's is written all the same; only opening it anew would fail.
            let _ = chown(log, Some(user), None);
        }
    }
    become_with(words, CapabilitySet::NET_BIND_SERVICE | rights(config))
}

/// Becomes the user of `user name [group]` for good, in the worker process: no right of root's is
/// kept that the configuration does not need, and no program that is started could win any. To be
/// called before there are threads.
pub(crate) fn become_worker(config: &Config) -> Result<()> {
    become_with(config.main.process.user.as_deref(), rights(config))?;
    set_no_new_privs(true).context("prctl(PR_SET_NO_NEW_PRIVS) failed")?;
    // Another user than the one of the start leaves no core otherwise.
    set_dumpable_behavior(DumpableBehavior::Dumpable).context("prctl(PR_SET_DUMPABLE) failed")
}

/// The rights of root's that serving takes: to connect from other machines' addresses (nginx:
/// `ngx_worker_process_init`).
fn rights(config: &Config) -> CapabilitySet {
    if binds_transparently(config) { CapabilitySet::NET_RAW } else { CapabilitySet::empty() }
}

/// Whether connections to upstreams are made from other machines' addresses.
pub(crate) fn binds_transparently(config: &Config) -> bool {
    let is = |forward: &Forward| forward.bind.as_ref().is_some_and(|bind| bind.transparent);
    let any = |location: &Location| {
        let families = [
            &location.proxy_forward,
            &location.uwsgi_forward,
            &location.fastcgi_forward,
            &location.scgi_forward,
            &location.grpc_forward,
        ];
        families.into_iter().any(|forward| is(forward))
    };
    config.http.servers.iter().any(|server| server.location.any(&any))
}

/// Whether there are the user and the group that root would become; nobody else becomes anybody.
pub(crate) fn check(words: Option<&[String]>) -> Result<()> {
    if !Uid::effective().is_root() {
        return Ok(());
    }
    named(words)?;
    grouped(words).map(|_| ())
}

/// Tells on standard error that nobody else can become another user (nginx's words).
pub(crate) fn tell_ignored(process: &Process) {
    if process.user.is_some() && !Uid::effective().is_root() {
        eprintln!(
            "nginx: [warn] the \"user\" directive makes sense only if the master process runs with \
             super-user privileges, ignored"
        );
    }
}

/// The user that workers become, where that is another than this one.
pub(crate) fn of_workers(words: Option<&[String]>) -> Option<Uid> {
    let user = named(words).ok().filter(|_| Uid::effective().is_root())?;
    Some(user.uid).filter(|uid| !uid.is_root())
}

fn become_with(words: Option<&[String]>, kept: CapabilitySet) -> Result<()> {
    if !Uid::effective().is_root() {
        return Ok(());
    }
    let user = named(words)?;
    let gid = grouped(words)?.unwrap_or(user.gid);
    if user.uid.is_root() {
        return Ok(());
    }
    set_keep_capabilities(true).context("prctl(PR_SET_KEEPCAPS) failed")?;
    initgroups(&CString::new(user.name)?, gid).context("initgroups() failed")?;
    setgid(gid).context("setgid() failed")?;
    setuid(user.uid).context("setuid() failed")?;
    let inheritable = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: kept, permitted: kept, inheritable })
        .context("capset() failed")
}

/// Makes the folders for temporary files where they lack, for that user alone; those of another user
/// become this one's, as in nginx, unless they are for all. Where it fails, the first file tells.
pub(crate) fn make_folders(folders: &[PathBuf], words: Option<&[String]>) {
    let owner = named(words).ok().filter(|_| Uid::effective().is_root());
    for folder in folders {
        let _ = DirBuilder::new().mode(0o700).create(folder);
        if let Some(owner) = &owner {
            let _ = own(folder, owner.uid);
        }
    }
}

/// Makes a folder this user's. One where everybody may put files, or where nobody may take away
/// another's (the sticky bit), belongs to others as well: whose it is stays, where nginx has `/tmp`
/// become the workers' user's. It is asked and changed while it is open, so that nobody can put
/// another in its place meanwhile.
fn own(folder: &Path, user: Uid) -> Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // A slash at the end would have a link followed after all.
    let folder = open(folder.components().collect::<PathBuf>(), flags, Mode::empty())?;
    let about = fstat(&folder)?;
    let is_shared = Mode::from_raw_mode(about.st_mode).intersects(Mode::SVTX | Mode::WOTH);
    if about.st_uid != user.as_raw() && !is_shared {
        fchown(&folder, Some(user), None)?;
    }
    Ok(())
}

/// The group that is named beside the user.
fn grouped(words: Option<&[String]>) -> Result<Option<Gid>> {
    let Some(group) = words.and_then(|words| words.get(1)) else { return Ok(None) };
    let failed = format!("getgrnam(\"{group}\") failed");
    let found = Group::from_name(group).with_context(|| failed.clone())?;
    let mend = format!("groupadd --system {group} makes it; `user` may name another");
    found
        .map(|found| Some(found.gid))
        .ok_or_else(|| anyhow!("{failed}: there is no such group\n    = hint: {mend}"))
}

fn named(words: Option<&[String]>) -> Result<User> {
    let name = words.and_then(|words| words.first()).map_or("nobody", String::as_str);
    User::from_name(name).with_context(|| format!("getpwnam(\"{name}\") failed"))?.ok_or_else(
        || {
            let mend = format!("useradd --system {name} makes it; `user` may name another");
            anyhow!("getpwnam(\"{name}\") failed: there is no such user\n    = hint: {mend}")
        },
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    #[test]
    fn a_folder_behind_a_link_stays_whose_it_is() {
        if !Uid::effective().is_root() {
            eprintln!("skipped: only root makes folders another user's");
            return;
        }
        let base = tempfile::tempdir().unwrap();
        let path = |name: &str| base.path().join(name);
        let owner = |name: &str| std::fs::metadata(path(name)).unwrap().uid();
        for name in ["own", "another"] {
            DirBuilder::new().mode(0o700).create(path(name)).unwrap();
        }
        symlink(path("another"), path("link")).unwrap();
        make_folders(&["own/", "link", "link/", "link/."].map(path), None);
        assert_eq!((owner("own"), owner("another")), (named(None).unwrap().uid.as_raw(), 0));
    }
}
