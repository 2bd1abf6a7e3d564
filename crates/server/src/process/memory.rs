//! What is known of clients and servers, on its way to the process that serves next: a file that lies
//! in memory alone.

use std::fs::File;
use std::io::{self, Read, Seek, Write};

use rustix::fs::{MemfdFlags, memfd_create};
use tidegate_http::record::{Reader, Writer};

use crate::runtime::Shared;

/// What such a file begins with: this version of it.
const BEGINNING: &[u8] = b"tidegate memory 1";

/// The most bytes of it that are believed.
const MOST: u64 = 1 << 30;

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
