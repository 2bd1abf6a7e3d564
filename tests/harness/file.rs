//! Files for the server under test.

use std::path::Path;
use std::time::{Duration, SystemTime};

/// Writes a file that was last changed on 2 January 2024, 03:04:05, as were its new folders.
pub fn write(path: &Path, content: &[u8]) {
    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(1_704_164_645);
    let folder = path.parent().expect("a file is in a folder");
    let new: Vec<&Path> = folder.ancestors().take_while(|folder| !folder.exists()).collect();
    std::fs::create_dir_all(folder).expect("a folder");
    std::fs::write(path, content).expect("a file");
    for path in std::iter::once(path).chain(new).chain([folder]) {
        let file = std::fs::File::open(path).expect("what was written");
        file.set_modified(changed).expect("a time of change");
    }
}
