//! Log files that requests name, perhaps kept open (`open_log_file_cache`).

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::time::Instant;

use rustix::fs::OFlags;
use tidegate_config::http::log::OpenLogFiles;

/// The named files of one thread.
#[derive(Debug, Default)]
pub struct NamedFiles {
    known: RefCell<HashMap<PathBuf, Known>>,
    /// How often all logs had been opened again when these were.
    reopened: Cell<u64>,
}

#[derive(Debug)]
struct Known {
    /// The open file, once it has been named often enough.
    file: Option<File>,
    uses: u32,
    used: Instant,
    checked: Instant,
}

impl NamedFiles {
    /// Writes a line to a file that a request has named. It names none by way of another folder.
    pub(super) fn append(
        &self,
        path: &Path,
        line: &[u8],
        cache: Option<&OpenLogFiles>,
    ) -> io::Result<()> {
        if path.components().any(|component| component == Component::ParentDir) {
            return Err(io::ErrorKind::InvalidFilename.into());
        }
        let Some(cache) = cache else { return open(path)?.write_all(line) };
        let now = Instant::now();
        let mut known = self.known.borrow_mut();
        if !known.contains_key(path) {
            make_room(&mut known, cache, now);
            let new = Known { file: None, uses: 0, used: now, checked: now };
            known.insert(path.to_path_buf(), new);
        }
        let Some(entry) = known.get_mut(path) else { return Ok(()) };
        if now.saturating_duration_since(entry.used) > cache.inactive {
            entry.uses = 0;
        }
        entry.uses = entry.uses.saturating_add(1);
        entry.used = now;
        if now.saturating_duration_since(entry.checked) >= cache.valid {
            entry.checked = now;
            entry.file = entry.file.take().filter(|file| is_at(file, path));
        }
        if let Some(file) = &mut entry.file {
            return file.write_all(line);
        }
        let mut file = open(path)?;
        file.write_all(line)?;
        if entry.uses >= cache.min_uses {
            entry.file = Some(file);
        }
        Ok(())
    }

    /// Lets go of all files once, when all logs have been opened again for this time.
    pub(super) fn let_go(&self, reopened: u64) {
        if self.reopened.replace(reopened) != reopened {
            self.known.borrow_mut().clear();
        }
    }
}

/// Lets go of what has not been named for long, and of one more where there are too many.
fn make_room(known: &mut HashMap<PathBuf, Known>, cache: &OpenLogFiles, now: Instant) {
    if known.len() < cache.max as usize {
        return;
    }
    known.retain(|_, entry| now.saturating_duration_since(entry.used) <= cache.inactive);
    while known.len() >= cache.max as usize {
        let oldest = known.iter().min_by_key(|(_, entry)| entry.used);
        let Some(path) = oldest.map(|(path, _)| path.clone()) else { return };
        known.remove(&path);
    }
}

fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    OpenOptions::new().append(true).create(true).mode(0o644).custom_flags(flags).open(path)
}

/// Whether a file is still the one of its name.
fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn files_are_kept_and_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let files = NamedFiles::default();
        let cache = OpenLogFiles {
            max: 2,
            inactive: Duration::from_secs(10),
            min_uses: 2,
            valid: Duration::from_mins(1),
        };
        let write = |name: &str, cache: &OpenLogFiles| {
            files.append(&folder.path().join(name), b"x\n", Some(cache)).unwrap();
        };
        let is_open = |name: &str| {
            let known = files.known.borrow();
            known.get(&folder.path().join(name)).is_some_and(|entry| entry.file.is_some())
        };
        write("a", &cache);
        assert!(!is_open("a"));
        write("a", &cache);
        assert!(is_open("a"));
        fs::rename(folder.path().join("a"), folder.path().join("old")).unwrap();
        write("a", &cache);
        assert_eq!(fs::read(folder.path().join("old")).unwrap().len(), 6);
        write("a", &OpenLogFiles { valid: Duration::ZERO, ..cache.clone() });
        assert_eq!(fs::read(folder.path().join("a")).unwrap().len(), 2);
        for name in ["b", "c", "d"] {
            write(name, &cache);
        }
        assert_eq!(files.known.borrow().len(), 2);
        files.let_go(0);
        assert_eq!(files.known.borrow().len(), 2);
        files.let_go(1);
        assert_eq!(files.known.borrow().len(), 0);
        assert!(files.append(Path::new("../x"), b"", Some(&cache)).is_err());
    }
}
