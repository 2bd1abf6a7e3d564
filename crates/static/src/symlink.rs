//! `disable_symlinks`: what a link leads to is not opened.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use bytes::Bytes;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;
use tidegate_config::http::disable_symlinks::Disable;
use tidegate_http::exchange::Exchange;

/// Which links are followed on the way to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// All.
    All,
    /// Those of the same owner as what they lead to, where told; below the part of a path that is
    /// not looked at.
    Some {
        /// Whether the owner decides.
        owner: bool,
        /// The part that is not looked at.
        from: Bytes,
    },
}

impl Links {
    /// Those of a request.
    pub(crate) fn of(ex: &mut Exchange<'_>) -> Self {
        let location = ex.location;
        let rule = &location.disable_symlinks.rule;
        if rule.disable == Disable::Off {
            return Self::All;
        }
        let from = rule.from.as_ref().map(|from| ex.render(from)).unwrap_or_default();
        Self::Some { owner: rule.disable == Disable::IfNotOwner, from }
    }

    /// Opens what lies at a path.
    pub(crate) fn open(&self, path: &Path, flags: OFlags) -> Result<File, Errno> {
        match self {
            Self::All => rustix::fs::open(path, flags, Mode::empty()).map(File::from),
            Self::Some { owner, from } => guarded(path, from, *owner, flags).map(File::from),
        }
    }

    /// What lies at a path.
    pub(crate) fn stat(&self, path: &Path) -> Result<Stat, Errno> {
        match self {
            Self::All => rustix::fs::stat(path),
            Self::Some { owner, from } => {
                fstat(guarded(path, from, *owner, OFlags::PATH | OFlags::CLOEXEC)?)
            }
        }
    }
}

/// Opens a path name by name (nginx: `ngx_open_file_wrapper`). Each is opened in the folder that
/// was reached, so that nobody can put a link in the way meanwhile.
fn guarded(path: &Path, from: &[u8], owner: bool, flags: OFlags) -> Result<OwnedFd, Errno> {
    let bytes = path.as_os_str().as_bytes();
    let skipped = from.strip_suffix(b"/").unwrap_or(from);
    let rest = bytes.strip_prefix(skipped).filter(|rest| rest.starts_with(b"/"));
    let (start, rest) = match rest {
        Some(rest) if !skipped.is_empty() => (Path::new(OsStr::from_bytes(skipped)), rest),
        _ if path.is_absolute() => (Path::new("/"), bytes),
        _ => (Path::new("."), bytes),
    };
    let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut at = rustix::fs::open(start, folder, Mode::empty())?;
    let mut names = Path::new(OsStr::from_bytes(rest)).components().peekable();
    while let Some(name) = names.next() {
        let name = match name {
            Component::Normal(name) => name,
            Component::ParentDir => OsStr::new(".."),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => continue,
        };
        let last = names.peek().is_none();
        at = step(&at, name, if last { flags } else { folder }, owner)?;
        if last {
            return Ok(at);
        }
    }
    openat(&at, ".", flags, Mode::empty())
}

/// Opens one name. A link is refused with `ELOOP`, unless its owner is that of what it leads to.
fn step(at: &OwnedFd, name: &OsStr, flags: OFlags, owner: bool) -> Result<OwnedFd, Errno> {
    let link = statat(at, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let is_link = FileType::from_raw_mode(link.st_mode) == FileType::Symlink;
    if !is_link {
        return openat(at, name, flags | OFlags::NOFOLLOW, Mode::empty());
    }
    if !owner {
        return Err(Errno::LOOP);
    }
    let opened = openat(at, name, flags, Mode::empty())?;
    if fstat(&opened)?.st_uid == link.st_uid { Ok(opened) } else { Err(Errno::LOOP) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_is_refused_wherever_it_is_in_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("real")).unwrap();
        std::fs::write(root.join("real/a"), "a").unwrap();
        symlink(root.join("real"), root.join("link")).unwrap();
        symlink("a", root.join("real/b")).unwrap();
        let none = Links::Some { owner: false, from: Bytes::new() };
        let read = OFlags::RDONLY | OFlags::CLOEXEC;
        none.open(&root.join("real/a"), read).unwrap();
        assert_eq!(none.open(&root.join("link/a"), read).unwrap_err(), Errno::LOOP);
        assert_eq!(none.open(&root.join("real/b"), read).unwrap_err(), Errno::LOOP);
        assert_eq!(none.open(&root.join("real/c"), read).unwrap_err(), Errno::NOENT);
        assert_eq!(none.stat(&root.join("link")).unwrap_err(), Errno::LOOP);
        let from = Bytes::from(root.join("link").into_os_string().into_encoded_bytes());
        let below = Links::Some { owner: false, from };
        below.open(&root.join("link/a"), read).unwrap();
        assert_eq!(below.open(&root.join("link/b"), read).unwrap_err(), Errno::LOOP);
        let own = Links::Some { owner: true, from: Bytes::new() };
        own.open(&root.join("link/b"), read).unwrap();
    }
}
