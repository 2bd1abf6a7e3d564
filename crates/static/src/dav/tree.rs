//! Files and folders, changed. Nothing here follows a link: what is behind it may lie elsewhere.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::io::Errno;
use tempfile::NamedTempFile;

use super::{CREATION, Refused};

/// How deep folders may lie in each other.
const DEEPEST: usize = 256;

pub(super) fn is_folder(path: &Path) -> Result<bool, Errno> {
    fs::symlink_metadata(path).map(|metadata| metadata.is_dir()).map_err(|error| errno(&error))
}

/// Makes a folder.
pub(super) fn make(path: &Path, mode: u32) -> Result<(), Refused> {
    fs::DirBuilder::new().mode(mode).create(path).map_err(|error| refused("mkdir()", path, &error))
}

/// Removes a file, or a folder with all that is in it.
pub(super) fn remove(path: &Path) -> Result<(), Refused> {
    let is_folder = is_folder(path).map_err(|error| Refused::new("lstat()", path, error))?;
    let (call, removed) = if is_folder {
        ("rmdir()", fs::remove_dir_all(path))
    } else {
        ("unlink()", fs::remove_file(path))
    };
    removed.map_err(|error| refused(call, path, &error))
}

/// A new file in the folder of `path`, that is to take its place.
pub(super) fn beside(path: &Path) -> Result<NamedTempFile, Refused> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(0o600);
    // Opened here, for the library's errors lack the system's number.
    let file = tempfile::Builder::new().prefix(".put-").make_in(folder, |path| options.open(path));
    file.map_err(|error| refused(CREATION, path, &error))
}

/// Puts a new file in its place, at once and whole.
pub(super) fn settle(file: NamedTempFile, path: &Path, mode: u32) -> Result<(), Refused> {
    if path.is_dir() {
        return Err(Refused::new("rename()", path, Errno::ISDIR));
    }
    let rights = fs::Permissions::from_mode(mode);
    file.as_file().set_permissions(rights).map_err(|error| refused("chmod()", path, &error))?;
    file.persist(path).map(|_| ()).map_err(|error| refused("rename()", path, &error.error))
}

/// Copies a file, or a folder with all that is in it. Links, pipes and the like are left out.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), Refused> {
    if fs::symlink_metadata(from).is_ok_and(|metadata| metadata.is_symlink()) {
        return Err(Refused::new("open()", from, Errno::LOOP));
    }
    copy_within(from, to, DEEPEST)
}

fn copy_within(from: &Path, to: &Path, left: usize) -> Result<(), Refused> {
    let metadata = fs::symlink_metadata(from).map_err(|error| refused("lstat()", from, &error))?;
    if metadata.is_file() {
        let mut source = fs::File::open(from).map_err(|error| refused("open()", from, &error))?;
        let mut file = beside(to)?;
        io::copy(&mut source, &mut file).map_err(|error| refused("write()", to, &error))?;
        if let Ok(time) = metadata.modified() {
            let _kept = file.as_file().set_modified(time);
        }
        return settle(file, to, metadata.permissions().mode() & 0o777);
    }
    if !metadata.is_dir() {
        return Ok(());
    }
    make(to, metadata.permissions().mode() & 0o777 | 0o700)?;
    if left == 0 {
        return Err(Refused::new("mkdir()", to, Errno::NAMETOOLONG));
    }
    let entries = fs::read_dir(from).map_err(|error| refused("opendir()", from, &error))?;
    // Read before anything is made, for the copy may lie within what is copied.
    let names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    for name in names {
        let (from, to) = (from.join(&name), to.join(&name));
        if !to.starts_with(&from) {
            copy_within(&from, &to, left - 1)?;
        }
    }
    Ok(())
}

/// Moves a file or a folder; from one file system to another it is copied and removed.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), Refused> {
    match fs::rename(from, to) {
        Err(error) if errno(&error) == Errno::XDEV => {
            copy(from, to)?;
            remove(from)
        }
        renamed => renamed.map_err(|error| refused("rename()", to, &error)),
    }
}

pub(super) fn refused(call: &'static str, path: &Path, error: &io::Error) -> Refused {
    Refused::new(call, path, errno(error))
}

fn errno(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (inside, outside) = (folder.path().join("in"), folder.path().join("out"));
        fs::create_dir_all(inside.join("deep")).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(inside.join("deep/a"), "a").unwrap();
        fs::write(outside.join("b"), "b").unwrap();
        std::os::unix::fs::symlink(&outside, inside.join("link")).unwrap();
        let to = folder.path().join("to");
        copy(&inside, &to).unwrap();
        assert_eq!(fs::read(to.join("deep/a")).unwrap(), b"a");
        assert!(!to.join("link").exists());
        remove(&inside).unwrap();
        assert!(!inside.exists() && outside.join("b").exists());
    }

    #[test]
    fn a_folder_is_copied_into_itself_once() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("a");
        fs::create_dir(&from).unwrap();
        fs::write(from.join("x"), "x").unwrap();
        copy(&from, &from.join("b")).unwrap();
        assert!(from.join("b/x").exists() && !from.join("b/b").exists());
    }
}
