//! Files for bodies that are too large for memory. They have no name, and go when they are closed.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Opens a file in a folder, which is made where it is missing. Where that cannot be (the rights
/// are given up by now, the disk is read-only), the system's own folder of such files serves, so
/// that no body is lost for want of a folder.
pub(crate) fn create(folder: &Path) -> io::Result<File> {
    let made = match tempfile::tempfile_in(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder))
        }
        result => result,
    };
    made.or_else(|error| tempfile::tempfile().map_err(|_| error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_folder_is_made() {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("a/b");
        create(&folder).unwrap();
        assert!(folder.is_dir());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_done_without() {
        create(Path::new("/proc/none")).unwrap();
    }
}
