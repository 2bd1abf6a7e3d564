//! Reading what waits in a file, and what is told where a disk does not do its part.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::unix::fs::FileExt;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use rustix::io::{Errno, ReadWriteFlags, preadv2, pwritev};

use crate::fault::System;

/// What is told of it where a disk is full.
pub(super) fn unwritten(folder: &Path, error: &io::Error) -> String {
    format!(
        "pwrite() to a temporary file in \"{}\" failed ({}) while reading upstream; the answer \
         is cut short: *_max_temp_file_size bounds what is written",
        folder.display(),
        System(error)
    )
}

/// What is told of it where there can be no file.
pub(super) fn unmade(folder: &Path, error: &io::Error) -> String {
    format!(
        "open() of a temporary file in \"{}\" failed ({}) while reading upstream; the upstream \
         waits for the client: *_temp_path names the folder",
        folder.display(),
        System(error)
    )
}

/// Writes pieces one behind another, by one call as a rule; tells how much that is.
pub(super) fn write_at(file: &File, pieces: &[Bytes], at: u64) -> io::Result<u64> {
    let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    let (mut left, mut written) = (slices.as_mut_slice(), 0);
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        let most = left.len().min(MOST);
        match pwritev(file, left.get(..most).unwrap_or_default(), at + written) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(length) => {
                written += length as u64;
                IoSlice::advance_slices(&mut left, length);
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(written)
}

/// How many pieces the system takes at once (`IOV_MAX`).
const MOST: usize = 1024;

/// Reads what needs no disk; `None` where that is nothing or cannot be known.
pub(super) fn read_cached(file: &File, at: u64, length: u64) -> io::Result<Option<Bytes>> {
    let mut piece = BytesMut::zeroed(length as usize);
    match preadv2(file, &mut [IoSliceMut::new(&mut piece)], at, ReadWriteFlags::NOWAIT) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(length) => {
            piece.truncate(length);
            Ok(Some(piece.freeze()))
        }
        Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INTR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Reads so much.
pub(super) fn read_at(file: &File, at: u64, length: u64) -> io::Result<Bytes> {
    let mut piece = BytesMut::zeroed(length as usize);
    file.read_exact_at(&mut piece, at)?;
    Ok(piece.freeze())
}
