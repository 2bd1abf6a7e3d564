//! Short files, kept in memory by each thread and told from others by what `stat` says.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::Stat;

use super::OpenFile;

/// The most bytes that a thread keeps.
const MOST: usize = 32 * 1024 * 1024;

/// How long ago a file must have changed before it is kept. One that changes again within a tick of
/// the file system's clock would look the same.
pub(super) const SETTLED: Duration = Duration::from_millis(100);

thread_local! {
    static KEPT: RefCell<KeptFiles> = RefCell::default();
}

/// What is kept of the file at a path.
pub(super) fn get(path: &Path) -> Option<Rc<Kept>> {
    KEPT.with_borrow(|kept| kept.get(path))
}

/// Keeps a file, if it has not changed a moment ago.
pub(super) fn add(path: &Path, identity: Identity, file: &OpenFile) {
    if identity.is_settled() {
        let kept = Kept { identity, file: file.clone(), used: Cell::new(false) };
        KEPT.with_borrow_mut(|all| all.add(path, Rc::new(kept)));
    }
}

/// Forgets the file at a path.
pub(super) fn forget(path: &Path) {
    KEPT.with_borrow_mut(|kept| kept.forget(path));
}

/// What tells one content from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    pub(super) length: u64,
    /// Seconds and nanoseconds.
    pub(super) modified: (i64, u64),
    /// When content, owner or rights were changed.
    changed: (i64, u64),
}

impl Identity {
    // The types of these fields differ between architectures.
    #[allow(clippy::unnecessary_cast, clippy::cast_lossless)]
    pub(super) fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            length: stat.st_size as u64,
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as u64),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as u64),
        }
    }

    fn is_settled(&self) -> bool {
        let (seconds, nanoseconds) = self.changed;
        let changed = UNIX_EPOCH
            + Duration::from_secs(seconds.unsigned_abs())
            + Duration::from_nanos(nanoseconds);
        SystemTime::now().duration_since(changed).is_ok_and(|age| age > SETTLED)
    }
}

/// A file that is kept.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) identity: Identity,
    pub(super) file: OpenFile,
    /// Whether it was asked for since it was last considered for leaving.
    used: Cell<bool>,
}

/// The files that a thread keeps; those that nobody asks for leave first.
#[derive(Debug, Default)]
struct KeptFiles {
    /// By the bytes of their paths.
    files: HashMap<Box<[u8]>, Rc<Kept>>,
    order: VecDeque<Box<[u8]>>,
    bytes: usize,
}

impl KeptFiles {
    fn get(&self, path: &Path) -> Option<Rc<Kept>> {
        let kept = self.files.get(path.as_os_str().as_bytes())?;
        kept.used.set(true);
        Some(Rc::clone(kept))
    }

    fn add(&mut self, path: &Path, kept: Rc<Kept>) {
        let path: Box<[u8]> = path.as_os_str().as_bytes().into();
        self.bytes += size(&path, &kept);
        if let Some(old) = self.files.insert(path.clone(), kept) {
            self.bytes = self.bytes.saturating_sub(size(&path, &old));
        } else {
            self.order.push_back(path);
        }
        while self.bytes > MOST {
            let Some(oldest) = self.order.pop_front() else { break };
            if self.files.get(&oldest).is_some_and(|kept| kept.used.take()) {
                self.order.push_back(oldest);
            } else {
                self.drop_entry(&oldest);
            }
        }
    }

    fn forget(&mut self, path: &Path) {
        let path = path.as_os_str().as_bytes();
        self.drop_entry(path);
        self.order.retain(|other| **other != *path);
    }

    fn drop_entry(&mut self, path: &[u8]) {
        if let Some(kept) = self.files.remove(path) {
            self.bytes = self.bytes.saturating_sub(size(path, &kept));
        }
    }
}

/// What an entry takes, roughly.
fn size(path: &[u8], kept: &Kept) -> usize {
    let content = usize::try_from(kept.file.length).unwrap_or(usize::MAX);
    2 * path.len() + content + 512
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::Content;
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_what_is_used_stays() {
        let mut kept = KeptFiles::default();
        let identity =
            Identity { device: 1, inode: 1, length: 60_000, modified: (0, 0), changed: (0, 0) };
        let content = Content::Bytes(Bytes::new());
        let file = OpenFile { length: 60_000, modified: 0, etag: Bytes::new(), content };
        for number in 0..2000 {
            let name = number.to_string();
            let entry = Kept { identity, file: file.clone(), used: Cell::new(false) };
            kept.add(Path::new(&name), Rc::new(entry));
            kept.get(Path::new("0")).unwrap();
        }
        assert!(kept.bytes <= MOST && kept.files.len() == kept.order.len());
        assert!(kept.files.len() > 400 && !kept.files.contains_key(b"1".as_slice()));
    }
}
