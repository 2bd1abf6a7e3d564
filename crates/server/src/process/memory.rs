//! What is known of clients and servers, on its way to the process that serves next: a file that lies
//! in memory alone, and ways to those who go on beside it.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, memfd_create};
use tidegate_http::record::{Reader, Writer};

use super::neighbours;
use crate::runtime::Shared;

/// What such a file begins with: this version of it.
const BEGINNING: &[u8] = b"tidegate memory 1";

/// The most bytes of it that are believed.
const MOST: u64 = 1 << 30;

/// What one who begins to serve goes on with.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// What is known; without it, it begins anew.
    pub(super) file: Option<File>,
    /// Sockets to those who serve beside it, until they have finished what they have begun.
    pub(super) ways: Vec<OwnedFd>,
}

impl Memory {
    /// All of it that is open, in the order of [`Memory::of`].
    pub(super) fn files(&self) -> Vec<BorrowedFd<'_>> {
        self.file.iter().map(AsFd::as_fd).chain(self.ways.iter().map(AsFd::as_fd)).collect()
    }

    /// Says whether the first of its files is what is known.
    pub(super) fn mark(&self) -> [u8; 1] {
        [u8::from(self.file.is_some())]
    }

    /// What has come over a channel; an older program has no mark, and one file at most.
    pub(super) fn of(mark: Option<&[u8]>, files: impl IntoIterator<Item = OwnedFd>) -> Self {
        let mut files = files.into_iter();
        let file = if mark == Some(&[0]) { None } else { files.next().map(File::from) };
        Self { file, ways: files.take(neighbours::MOST).collect() }
    }
}

/// Writes down what is known.
pub(super) fn write(shared: &Shared) -> io::Result<File> {
    let mut writer = Writer::default();
    writer.text(BEGINNING);
    shared.zones.write(&mut writer);
    shared.upstreams.write(&mut writer);
    // An older program reads no further, and a newer one takes what is there.
    shared.upstreams.write_sessions(&mut writer);
    shared.tls.write(&mut writer);
    let mut file = File::from(memfd_create("tidegate memory", MemfdFlags::CLOEXEC)?);
    file.write_all(writer.bytes())?;
    Ok(file)
}

/// Takes up what was written down; what cannot be read is not known.
pub(super) fn read(file: &File, shared: &Shared) -> Option<()> {
    let mut bytes = Vec::new();
    let mut file = file;
    file.rewind().ok()?;
    file.take(MOST).read_to_end(&mut bytes).ok()?;
    let mut reader = Reader::new(&bytes);
    if reader.text()? != BEGINNING {
        return None;
    }
    shared.zones.read(&mut reader)?;
    shared.upstreams.read(&mut reader)?;
    shared.upstreams.read_sessions(&mut reader)?;
    shared.tls.read(&mut reader)
}
