//! Standard error as a log: whoever reads it slowly, or not at all, holds nobody up.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::fs::OFlags;
use rustix::net::{SendFlags, send};

use super::lost::Lost;

/// The one standard error of the process.
static STDERR: OnceLock<Stderr> = OnceLock::new();

/// Standard error.
#[derive(Debug)]
pub(super) struct Stderr {
    kind: Mutex<Kind>,
    /// What it did not take.
    pub(super) lost: Lost,
}

#[derive(Debug)]
enum Kind {
    /// A pipe, opened anew: whether writing waits is a matter of each opening.
    Pipe(File),
    /// A socket, as a service manager's journal has.
    Socket,
    /// A terminal or a file.
    Other,
}

/// Sees what standard error is. To be called while the process has the rights of its start, and when
/// it has become another.
pub fn open() {
    *Stderr::get().lock() = Kind::of_this();
}

impl Stderr {
    /// The process's.
    pub(super) fn get() -> &'static Self {
        STDERR.get_or_init(|| Self { kind: Mutex::new(Kind::Other), lost: Lost::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Kind> {
        self.kind.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what is taken at once; an error where not all of it was.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let written = match &mut *self.lock() {
            Kind::Pipe(file) => file.write(bytes)?,
            Kind::Socket => {
                let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
                send(io::stderr(), bytes, flags)?
            }
            Kind::Other => return io::stderr().write_all(bytes),
        };
        if written == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) }
    }
}

impl Kind {
    fn of_this() -> Self {
        let path = "/proc/self/fd/2";
        let Ok(kind) = std::fs::metadata(path).map(|meta| meta.file_type()) else {
            return Self::Other;
        };
        if kind.is_socket() {
            return Self::Socket;
        }
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let opened = || OpenOptions::new().append(true).custom_flags(flags).open(path).ok();
        match kind.is_fifo().then(opened).flatten() {
            Some(file) => Self::Pipe(file),
            None => Self::Other,
        }
    }
}
