//! Compressed forms of bodies that are asked for again and again.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::io::{self, IoSliceMut};
use std::os::unix::fs::MetadataExt;

use bytes::Bytes;
use rustix::io::{Errno, ReadWriteFlags, preadv2};

use super::Coding;
use super::encode::compress;
use crate::body::{Body, FileSlice};

/// The longest body whose compressed form is kept, in bytes.
const LONGEST: u64 = 1024 * 1024;

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

#[derive(Debug, Default)]
struct Kept {
    forms: HashMap<(Source, Coding), Form>,
    /// In the order they came.
    order: VecDeque<(Source, Coding)>,
    bytes: usize,
}

#[derive(Clone, Debug)]
struct Form {
    compressed: Bytes,
    /// The source, where its place in memory is what it is known by.
    source: Bytes,
}

/// The compressed form of a body that lies still: a file's or that of kept bytes. `None` where it
/// is none, too long to be kept, or would have to be read from the disk first.
pub(super) fn compressed(body: &Body, coding: Coding) -> io::Result<Option<Bytes>> {
    thread_local! {
        static KEPT: RefCell<Kept> = RefCell::default();
    }
    if body.len().is_none_or(|length| length > LONGEST) {
        return Ok(None);
    }
    let (source, bytes) = match body {
        Body::Bytes(bytes) => (Source::Memory(bytes.as_ptr() as usize, bytes.len()), bytes.clone()),
        Body::File(slice) => (identity(slice)?, Bytes::new()),
        _ => return Ok(None),
    };
    let key = (source, coding);
    if let Some(form) = KEPT.with_borrow(|kept| kept.forms.get(&key).cloned()) {
        return Ok(Some(form.compressed));
    }
    let compressed = match body {
        Body::File(slice) => match read(slice)? {
            Some(bytes) => compress(&bytes, coding)?,
            None => return Ok(None),
        },
        _ => compress(&bytes, coding)?,
    };
    let form = Form { compressed: compressed.clone(), source: bytes };
    KEPT.with_borrow_mut(|kept| kept.add(key, form));
    Ok(Some(compressed))
}

impl Kept {
    fn add(&mut self, key: (Source, Coding), form: Form) {
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

    #[test]
    fn a_form_is_made_once_until_the_file_changes() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[b'a'; 1000]).unwrap();
        let file = Rc::new(file);
        let body = |length| Body::File(FileSlice { file: Rc::clone(&file), offset: 0, length });
        let first = compressed(&body(1000), ONE).unwrap().unwrap();
        let again = compressed(&body(1000), ONE).unwrap().unwrap();
        assert_eq!(first.as_ptr(), again.as_ptr());
        assert_ne!(
            compressed(&body(1000), Coding::Zstd { level: 1 }).unwrap().unwrap().as_ptr(),
            first.as_ptr()
        );
        (&*file).write_all(b"b").unwrap();
        assert_ne!(compressed(&body(1001), ONE).unwrap().unwrap(), first);
    }

    #[test]
    fn bytes_in_memory_are_known_by_their_place() {
        let bytes = Bytes::from(vec![b'a'; 1000]);
        let first = compressed(&Body::Bytes(bytes.clone()), ONE).unwrap().unwrap();
        let again = compressed(&Body::Bytes(bytes), ONE).unwrap().unwrap();
        assert_eq!(first.as_ptr(), again.as_ptr());
        assert!(compressed(&Body::Empty, ONE).unwrap().is_none());
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
