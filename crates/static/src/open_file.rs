//! Files, opened and remembered.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::IoSliceMut;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use rustix::fs::{FileType, OFlags, Stat};
use rustix::io::{Errno, ReadWriteFlags};
use tidegate_http::body::{Body, FileSlice};

use crate::symlink::Links;

/// The longest file whose bytes are kept, in bytes.
const LONGEST: u64 = 64 * 1024;

/// The most bytes that a thread keeps.
const MOST: usize = 32 * 1024 * 1024;

/// How long ago a file must have changed before it is kept. One that changes again within a tick of
/// the file system's clock would look the same.
const SETTLED: Duration = Duration::from_millis(100);

/// What lies at a path.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// A regular file.
    File(OpenFile),
    /// A folder.
    Folder,
    /// A socket, a pipe, a device.
    Other,
}

/// A regular file that may be sent.
#[derive(Clone, Debug)]
pub(crate) struct OpenFile {
    /// Its length, in bytes.
    pub(crate) length: u64,
    /// When it was changed, in seconds since 1970.
    pub(crate) modified: i64,
    /// Its `ETag`: time and length.
    pub(crate) etag: Bytes,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Bytes(Bytes),
    File(Rc<File>),
}

impl OpenFile {
    /// All of it, as a body.
    pub(crate) fn body(&self) -> Body {
        match &self.content {
            _ if self.length == 0 => Body::Empty,
            Content::Bytes(bytes) => Body::Bytes(bytes.clone()),
            Content::File(file) => {
                Body::File(FileSlice { file: Rc::clone(file), offset: 0, length: self.length })
            }
        }
    }
}

/// Opens what lies at a path. A short file's bytes are kept and found again by one `stat`, which
/// sees every change at once; a longer file is opened anew. Bytes that are not in memory are read
/// by another thread.
pub(crate) async fn open(path: &Path, links: &Links) -> Result<Found, Errno> {
    thread_local! {
        static KEPT: RefCell<KeptFiles> = RefCell::default();
    }
    let all = matches!(links, Links::All);
    if let Some(kept) = KEPT.with_borrow(|kept| kept.get(path)).filter(|_| all) {
        if Identity::of(&rustix::fs::stat(path)?) == kept.identity {
            return Ok(Found::File(kept.file.clone()));
        }
        KEPT.with_borrow_mut(|kept| kept.forget(path));
    }
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = links.open(path, flags)?;
    let stat = rustix::fs::fstat(&file)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {}
        FileType::Directory => return Ok(Found::Folder),
        _ => return Ok(Found::Other),
    }
    let identity = Identity::of(&stat);
    let (length, modified) = (identity.length, identity.modified.0);
    let etag = Bytes::from(format!("\"{modified:x}-{length:x}\""));
    let mut open = OpenFile { length, modified, etag, content: Content::Bytes(Bytes::new()) };
    if length > LONGEST {
        open.content = Content::File(Rc::new(file));
        return Ok(Found::File(open));
    }
    open.content = match read(file, length).await? {
        Read::Whole(bytes) => Content::Bytes(bytes),
        Read::Shrunk(file) => Content::File(Rc::new(file)),
    };
    if all
        && identity.is_settled()
        && let Content::Bytes(_) = open.content
    {
        let kept = Kept { identity, file: open.clone(), used: Cell::new(false) };
        KEPT.with_borrow_mut(|all| all.add(path, Rc::new(kept)));
    }
    Ok(Found::File(open))
}

/// What lies at a path: whether it is a folder (nginx: `of.test_only`).
pub(crate) fn is_folder(path: &Path, links: &Links) -> Result<bool, Errno> {
    let stat = links.stat(path)?;
    Ok(FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

enum Read {
    Whole(Bytes),
    /// It has become shorter meanwhile; whoever sends it will see.
    Shrunk(File),
}

async fn read(file: File, length: u64) -> Result<Read, Errno> {
    let mut buffer = BytesMut::zeroed(usize::try_from(length).unwrap_or_default());
    let mut pieces = [IoSliceMut::new(&mut buffer)];
    let got = rustix::io::preadv2(&file, &mut pieces, 0, ReadWriteFlags::NOWAIT);
    if got == Ok(buffer.len()) {
        return Ok(Read::Whole(buffer.freeze()));
    }
    let reading = tokio::task::spawn_blocking(move || {
        let whole = file.read_exact_at(&mut buffer, 0).is_ok();
        if whole { Read::Whole(buffer.freeze()) } else { Read::Shrunk(file) }
    });
    reading.await.map_err(|_| Errno::IO)
}

/// What tells one content from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    length: u64,
    /// Seconds and nanoseconds.
    modified: (i64, u64),
    /// When content, owner or rights were changed.
    changed: (i64, u64),
}

impl Identity {
    // The types of these fields differ between architectures.
    #[allow(clippy::unnecessary_cast, clippy::cast_lossless)]
    fn of(stat: &Stat) -> Self {
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
struct Kept {
    identity: Identity,
    file: OpenFile,
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
    use std::io::Write;

    use super::*;

    async fn file(path: &Path) -> OpenFile {
        match open(path, &Links::All).await.unwrap() {
            Found::File(file) => file,
            other => panic!("{other:?}"),
        }
    }

    fn bytes(file: &OpenFile) -> Bytes {
        match file.body() {
            Body::Bytes(bytes) => bytes,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_short_file_is_read_once_until_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "one").unwrap();
        assert_ne!(bytes(&file(&path).await).as_ptr(), bytes(&file(&path).await).as_ptr());
        tokio::time::sleep(SETTLED * 2).await;
        let first = bytes(&file(&path).await);
        assert_eq!(first.as_ptr(), bytes(&file(&path).await).as_ptr());
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().write_all(b"two").unwrap();
        assert_eq!(bytes(&file(&path).await), "two");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(open(&path, &Links::All).await.unwrap_err(), Errno::NOENT);
    }

    #[tokio::test]
    async fn what_is_no_regular_file_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(open(folder.path(), &Links::All).await.unwrap(), Found::Folder));
        assert!(matches!(open(Path::new("/dev/null"), &Links::All).await.unwrap(), Found::Other));
        let long = folder.path().join("long");
        std::fs::write(&long, vec![0; 70_000]).unwrap();
        assert!(matches!(file(&long).await.body(), Body::File(slice) if slice.length == 70_000));
        let empty = folder.path().join("empty");
        std::fs::write(&empty, "").unwrap();
        assert!(matches!(file(&empty).await.body(), Body::Empty));
    }

    #[tokio::test]
    async fn a_tag_is_time_and_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "0123456789").unwrap();
        let time = UNIX_EPOCH + Duration::from_secs(0x6593_7d25);
        File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        let file = file(&path).await;
        assert_eq!((file.etag.as_ref(), file.modified), (&b"\"65937d25-a\""[..], 0x6593_7d25));
    }

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
