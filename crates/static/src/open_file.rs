//! Files, opened and remembered.

mod kept;
mod lru;
mod remembered;

use std::fs::File;
use std::io::IoSliceMut;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use rustix::fs::{FileType, OFlags};
use rustix::io::{Errno, ReadWriteFlags};
use tidegate_http::body::{Body, FileSlice};
use tidegate_http::exchange::Exchange;

use crate::symlink::Links;
use kept::Identity;
pub use remembered::forget as forget_open_files;

/// The longest file whose bytes are kept, in bytes.
const LONGEST: u64 = 64 * 1024;

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

/// Opens what lies at a path; where the location says `open_file_cache`, what was there a while ago.
pub(crate) async fn open(ex: &Exchange<'_>, path: &Path, links: &Links) -> Result<Found, Errno> {
    if ex.location.open_file_cache.cache.is_some() {
        return remembered::open(ex, path, links).await;
    }
    look(path, links).await
}

/// Opens what lies at a path. A short file's bytes are kept and found again by one `stat`, which
/// sees every change at once; a longer file is opened anew. Bytes that are not in memory are read
/// by another thread.
async fn look(path: &Path, links: &Links) -> Result<Found, Errno> {
    let all = matches!(links, Links::All);
    if let Some(kept) = kept::get(path).filter(|_| all) {
        if Identity::of(&rustix::fs::stat(path)?) == kept.identity {
            return Ok(Found::File(kept.file.clone()));
        }
        kept::forget(path);
    }
    // Boxed, for most of what is asked for is kept.
    Box::pin(fresh(path, links)).await
}

async fn fresh(path: &Path, links: &Links) -> Result<Found, Errno> {
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
    if *links == Links::All
        && let Content::Bytes(_) = open.content
    {
        kept::add(path, identity, &open);
    }
    Ok(Found::File(open))
}

/// What lies at a path: whether it is a folder (nginx: `of.test_only`).
pub(crate) async fn is_folder(
    ex: &Exchange<'_>,
    path: &Path,
    links: &Links,
) -> Result<bool, Errno> {
    if ex.location.open_file_cache.cache.is_some() {
        // As in nginx, it is opened, for it is what will be sent, most likely.
        let found = Box::pin(remembered::open(ex, path, links)).await?;
        return Ok(matches!(found, Found::Folder));
    }
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

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    async fn file(path: &Path) -> OpenFile {
        match look(path, &Links::All).await.unwrap() {
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
        tokio::time::sleep(kept::SETTLED * 2).await;
        let first = bytes(&file(&path).await);
        assert_eq!(first.as_ptr(), bytes(&file(&path).await).as_ptr());
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().write_all(b"two").unwrap();
        assert_eq!(bytes(&file(&path).await), "two");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(look(&path, &Links::All).await.unwrap_err(), Errno::NOENT);
    }

    #[tokio::test]
    async fn what_is_no_regular_file_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(look(folder.path(), &Links::All).await.unwrap(), Found::Folder));
        assert!(matches!(look(Path::new("/dev/null"), &Links::All).await.unwrap(), Found::Other));
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
}
