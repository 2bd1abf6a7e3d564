//! Compressed forms of bodies that are asked for again and again.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use tokio::task::JoinHandle;

use super::Coding;
use super::encode::compress;
use crate::body::{Body, BodyStream, FileSlice};

/// The longest body whose compressed form is kept, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// The length up to which even the slowest level takes no time to speak of, in bytes.
const SHORT: u64 = 16 * 1024;

/// The most bytes of compressed forms that a thread keeps.
const MOST: usize = 16 * 1024 * 1024;

/// What a compressed form was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Source {
    /// A piece of a file: device, inode, time of change in nanoseconds, length of the file; offset
    /// and length of the piece.
    File([u64; 2], i128, u64, [u64; 2]),
    /// Bytes in memory, by their place; what is kept holds on to them, so that the place is theirs.
    Memory(usize, usize),
}

/// What a form was made of, and how.
type Key = (Source, Coding);

#[derive(Debug, Default)]
struct Kept {
    forms: HashMap<Key, Form>,
    /// Those that another thread is making.
    making: HashSet<Key>,
    /// In the order they came.
    order: VecDeque<Key>,
    bytes: usize,
}

#[derive(Clone, Debug)]
struct Form {
    compressed: Bytes,
    /// The source, where its place in memory is what it is known by.
    source: Bytes,
}

thread_local! {
    static KEPT: RefCell<Kept> = RefCell::default();
}

/// A compressed form.
pub(super) enum Made {
    /// It is here.
    Here(Bytes),
    /// Another thread makes it, as it takes long.
    Elsewhere(BodyStream),
    /// There is none.
    Not,
}

/// The compressed form of a body that lies still: a file's or that of kept bytes. There is none of
/// what is too long to be kept, or would have to be read from the disk first.
pub(super) fn compressed(body: &Body, coding: Coding) -> io::Result<Made> {
    if body.len().is_none_or(|length| length > LONGEST) {
        return Ok(Made::Not);
    }
    let (source, bytes) = match body {
        Body::Bytes(bytes) => (Source::Memory(bytes.as_ptr() as usize, bytes.len()), bytes.clone()),
        Body::File(slice) => (identity(slice)?, Bytes::new()),
        _ => return Ok(Made::Not),
    };
    let key = (source, coding);
    if let Some(form) = KEPT.with_borrow(|kept| kept.forms.get(&key).cloned()) {
        return Ok(Made::Here(form.compressed));
    }
    if coding.is_slow() && body.len().is_some_and(|length| length > SHORT) {
        return elsewhere(body, key, bytes);
    }
    let compressed = match body {
        Body::File(slice) => match read(slice)? {
            Some(bytes) => compress(&bytes, coding)?,
            None => return Ok(Made::Not),
        },
        _ => compress(&bytes, coding)?,
    };
    let form = Form { compressed: compressed.clone(), source: bytes };
    KEPT.with_borrow_mut(|kept| kept.add(key, form));
    Ok(Made::Here(compressed))
}

/// Lets another thread make a form, which is kept then. While it does, nobody else lets it be made.
fn elsewhere(body: &Body, key: Key, source: Bytes) -> io::Result<Made> {
    if !KEPT.with_borrow_mut(|kept| kept.making.insert(key)) {
        return Ok(Made::Not);
    }
    let coding = key.1;
    let job = if let Body::File(slice) = body {
        let (file, offset, length) = (slice.file.try_clone()?, slice.offset, slice.length);
        tokio::task::spawn_blocking(move || {
            let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
            file.read_exact_at(&mut bytes, offset)?;
            compress(&bytes, coding)
        })
    } else {
        let bytes = source.clone();
        tokio::task::spawn_blocking(move || compress(&bytes, coding))
    };
    Ok(Made::Elsewhere(Box::pin(Making { job: Some(job), key, source })))
}

/// A form on its way.
struct Making {
    job: Option<JoinHandle<io::Result<Bytes>>>,
    key: Key,
    source: Bytes,
}

impl Stream for Making {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(job) = &mut self.job else { return Poll::Ready(None) };
        let made = ready!(Pin::new(job).poll(cx)).map_err(io::Error::other).flatten();
        self.job = None;
        if let Ok(compressed) = &made {
            let form = Form { compressed: compressed.clone(), source: self.source.clone() };
            KEPT.with_borrow_mut(|kept| kept.add(self.key, form));
        }
        Poll::Ready(Some(made))
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        // The thread may be at its end.
        let _gone = KEPT.try_with(|kept| kept.borrow_mut().making.remove(&self.key));
    }
}

impl Kept {
    fn add(&mut self, key: Key, form: Form) {
        self.bytes += form.size();
        self.order.push_back(key);
        self.forms.insert(key, form);
        while self.bytes > MOST {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(form) = self.forms.remove(&oldest) {
                self.bytes = self.bytes.saturating_sub(form.size());
            }
        }
    }
}

impl Form {
    fn size(&self) -> usize {
        self.compressed.len() + self.source.len() + 256
    }
}

fn identity(slice: &FileSlice) -> io::Result<Source> {
    let file = slice.file.metadata()?;
    let changed = i128::from(file.mtime()) * 1_000_000_000 + i128::from(file.mtime_nsec());
    let piece = [slice.offset, slice.length];
    Ok(Source::File([file.dev(), file.ino()], changed, file.len(), piece))
}

/// Reads all of a piece, where the kernel has it in memory.
fn read(slice: &FileSlice) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = vec![0; usize::try_from(slice.length).map_err(io::Error::other)?];
    let mut pieces = [IoSliceMut::new(&mut bytes)];
    match preadv2(&*slice.file, &mut pieces, slice.offset, ReadWriteFlags::NOWAIT) {
        Ok(length) if length == bytes.len() => Ok(Some(bytes)),
        Ok(_) | Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INTR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::rc::Rc;

    use super::*;

    const ONE: Coding = Coding::Gzip { level: 1 };

    fn here(body: &Body, coding: Coding) -> Bytes {
        match compressed(body, coding).unwrap() {
            Made::Here(bytes) => bytes,
            Made::Elsewhere(_) | Made::Not => panic!("not here"),
        }
    }

    #[tokio::test]
    async fn what_takes_long_is_made_by_another_thread_and_kept() {
        let slow = Coding::Brotli { level: 11, window: 20 };
        let bytes = Bytes::from(vec![b'a'; 100_000]);
        let body = Body::Bytes(bytes.clone());
        let Made::Elsewhere(mut making) = compressed(&body, slow).unwrap() else { panic!() };
        assert!(matches!(compressed(&body, slow).unwrap(), Made::Not));
        let made = std::future::poll_fn(|cx| making.as_mut().poll_next(cx)).await.unwrap();
        drop(making);
        assert_eq!(here(&body, slow), made.unwrap());
        let short = Body::Bytes(bytes.slice(..1000));
        assert!(matches!(compressed(&short, slow).unwrap(), Made::Here(_)));
    }

    #[test]
    fn a_form_is_made_once_until_the_file_changes() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[b'a'; 1000]).unwrap();
        let file = Rc::new(file);
        let body = |length| Body::File(FileSlice { file: Rc::clone(&file), offset: 0, length });
        let first = here(&body(1000), ONE);
        let again = here(&body(1000), ONE);
        assert_eq!(first.as_ptr(), again.as_ptr());
        assert_ne!(here(&body(1000), Coding::Zstd { level: 1 }).as_ptr(), first.as_ptr());
        (&*file).write_all(b"b").unwrap();
        assert_ne!(here(&body(1001), ONE), first);
    }

    #[test]
    fn bytes_in_memory_are_known_by_their_place() {
        let bytes = Bytes::from(vec![b'a'; 1000]);
        let first = here(&Body::Bytes(bytes.clone()), ONE);
        let again = here(&Body::Bytes(bytes), ONE);
        assert_eq!(first.as_ptr(), again.as_ptr());
        assert!(matches!(compressed(&Body::Empty, ONE).unwrap(), Made::Not));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut kept = Kept::default();
        for number in 0..64 {
            let form = Form { compressed: vec![0; 1024 * 1024].into(), source: Bytes::new() };
            kept.add((Source::Memory(number, 1), ONE), form);
        }
        assert!(kept.bytes <= MOST && kept.forms.len() == kept.order.len());
    }
}
