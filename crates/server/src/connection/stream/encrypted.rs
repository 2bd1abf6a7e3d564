//! A client's socket with TLS over it.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, ErrorKind, IoSlice, Read, Write};
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::BytesMut;
use rustls::ServerConnection;
use tidegate_http::tls::session::Session;

use super::Stream;

/// How much of a file is read to be encrypted at once.
const PIECE: usize = 64 * 1024;

/// A client's socket with TLS over it, after the handshake.
pub(crate) struct Encrypted {
    socket: Stream,
    tls: RefCell<ServerConnection>,
    /// Whether bytes that were decrypted wait to be read.
    waiting: Cell<bool>,
    /// Whether the connection has broken, so that its end is not told in due form.
    broken: Cell<bool>,
    session: Arc<Session>,
}

impl Encrypted {
    /// Takes over after the handshake.
    pub(crate) fn new(socket: Stream, tls: ServerConnection, session: Arc<Session>) -> Self {
        // What came right behind the handshake is seen by the first read.
        let (tls, waiting) = (RefCell::new(tls), Cell::new(true));
        Self { socket, tls, waiting, broken: Cell::new(false), session }
    }

    /// The socket below.
    pub(in crate::connection) fn socket(&self) -> &Stream {
        &self.socket
    }

    /// Whether bytes that were decrypted wait to be read.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.get()
    }

    /// Reads what is there into the room that `out` has; 0 is the end.
    pub(super) fn try_read_buf(&self, out: &mut BytesMut) -> io::Result<usize> {
        let room = out.capacity() - out.len();
        self.try_read_to(room, &mut |piece| out.extend_from_slice(piece))
    }

    /// Reads what is there, at most so many bytes; 0 is the end.
    fn try_read_to(&self, room: usize, out: &mut dyn FnMut(&[u8])) -> io::Result<usize> {
        let mut tls = self.tls.borrow_mut();
        if self.session.early.load(Ordering::Relaxed)
            && let Some(taken) = self.take_early(&mut tls, room, out)
        {
            return Ok(taken);
        }
        loop {
            match take(&mut tls, room, out) {
                Ok(taken) => {
                    self.waiting.set(matches!(tls.reader().fill_buf(), Ok([_, ..])));
                    return Ok(taken);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // The client has gone without a word; HTTP knows itself where its messages end.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                Err(error) => return Err(error),
            }
            self.waiting.set(false);
            tls.read_tls(&mut Raw(&self.socket))?;
            if let Err(error) = tls.process_new_packets() {
                self.broken.set(true);
                // What is wrong is told the client, as far as it fits.
                let _ = flush(&mut tls, &self.socket);
                return Err(io::Error::new(ErrorKind::InvalidData, error));
            }
            if self.session.early.load(Ordering::Relaxed) {
                self.session.early.store(tls.is_handshaking(), Ordering::Relaxed);
                if let Some(taken) = self.take_early(&mut tls, room, out) {
                    return Ok(taken);
                }
            }
            // An answer to a change of keys; what does not fit goes with the next bytes.
            settled(flush(&mut tls, &self.socket))?;
        }
    }

    /// Takes what has come before the handshake is over; `None` where there is nothing.
    fn take_early(
        &self,
        tls: &mut ServerConnection,
        room: usize,
        out: &mut dyn FnMut(&[u8]),
    ) -> Option<usize> {
        let mut piece = vec![0; room.min(16 * 1024)];
        let taken = tls.early_data()?.read(&mut piece).ok().filter(|taken| *taken > 0)?;
        out(piece.get(..taken)?);
        self.waiting.set(true);
        Some(taken)
    }

    /// Takes as much as fits; what has been encrypted and does not fit goes with the next call.
    pub(super) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut tls = self.tls.borrow_mut();
        flush(&mut tls, &self.socket)?;
        let taken = take_in(&mut tls, slices)?;
        settled(flush(&mut tls, &self.socket))?;
        Ok(taken)
    }

    /// Sends what has been encrypted and has not gone yet.
    pub(super) fn try_flush(&self) -> io::Result<()> {
        flush(&mut self.tls.borrow_mut(), &self.socket)
    }

    /// Reads a piece of a file and takes it as [`try_write_vectored`](Self::try_write_vectored)
    /// does; 0 is the file's end.
    pub(super) fn try_send_file(
        &self,
        file: BorrowedFd<'_>,
        offset: &mut u64,
        length: usize,
    ) -> io::Result<usize> {
        thread_local! {
            static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        // Before the file is read in vain.
        self.try_flush()?;
        BUFFER.with_borrow_mut(|buffer| {
            // A page's half away from where records are, see `unlucky`.
            buffer.resize(PAGE / 2 + PIECE, 0);
            let most = buffer.get_mut(PAGE / 2..).unwrap_or_default();
            let most = most.get_mut(..length.min(PIECE)).unwrap_or_default();
            let read = rustix::io::pread(file, &mut *most, *offset)?;
            if read == 0 {
                return Ok(0);
            }
            let read = most.get(..read).unwrap_or_default();
            let taken = self.try_write_vectored(&[IoSlice::new(read)])?;
            *offset += taken as u64;
            Ok(taken)
        })
    }

    /// Takes note that the connection has broken: its end is not told in due form, so that the
    /// client sees that an answer was cut.
    pub(super) fn abandon(&self) {
        self.broken.set(true);
    }

    /// Tells the client that nothing more comes.
    pub(super) fn say_farewell(&self) {
        if !self.broken.replace(true) {
            let mut tls = self.tls.borrow_mut();
            tls.send_close_notify();
            // Where it does not fit the client is not reading, and will see the end itself.
            let _ = flush(&mut tls, &self.socket);
        }
    }
}

impl Drop for Encrypted {
    fn drop(&mut self) {
        self.say_farewell();
    }
}

impl std::fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encrypted").field("socket", &self.socket).finish_non_exhaustive()
    }
}

/// The head of a record, which stands where its buffer begins, as a rule that of a page.
const RECORD_HEAD: usize = 5;

const PAGE: usize = 4096;

/// How near behind the source, within their pages, a target is unlucky, in bytes.
const NEAR: usize = 32;

/// Has bytes encrypted; how many.
fn take_in(tls: &mut ServerConnection, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    let (Some((large, small)), mut writer) = (slices.split_last(), tls.writer()) else {
        return Ok(0);
    };
    let before: usize = small.iter().map(|slice| slice.len()).sum();
    if small.len() > 1 || !unlucky(large, RECORD_HEAD + before) {
        return writer.write_vectored(slices);
    }
    let (first, rest) = large.split_at(PAGE / 2);
    let head = small.first().map_or(&[][..], |slice| slice);
    let mut taken = writer.write_vectored(&[IoSlice::new(head), IoSlice::new(first)])?;
    if taken == before + first.len() {
        taken += writer.write(rest)?;
    }
    Ok(taken)
}

/// Whether bytes go into a record only slowly. rustls copies them there, and processors of AMD copy
/// at a tenth of their speed to where a target lies a few bytes further within its page than its
/// source does. Large buffers begin with a page, as those of records do, so that a record's head is
/// enough for that. Behind a short record of half a page all is well.
fn unlucky(bytes: &[u8], place: usize) -> bool {
    let apart = place.wrapping_sub(bytes.as_ptr().addr()) % PAGE;
    bytes.len() >= PAGE && (1..=NEAR).contains(&apart)
}

/// Moves what has been decrypted, at most so many bytes.
fn take(tls: &mut ServerConnection, room: usize, out: &mut dyn FnMut(&[u8])) -> io::Result<usize> {
    let mut reader = tls.reader();
    let mut taken = 0;
    loop {
        let piece = match reader.fill_buf() {
            Ok(piece) => piece.get(..piece.len().min(room - taken)).unwrap_or_default(),
            Err(_) if taken > 0 => return Ok(taken),
            Err(error) => return Err(error),
        };
        if piece.is_empty() {
            return Ok(taken);
        }
        out(piece);
        let length = piece.len();
        reader.consume(length);
        taken += length;
    }
}

fn flush(tls: &mut ServerConnection, socket: &Stream) -> io::Result<()> {
    while tls.wants_write() {
        if tls.write_tls(&mut Raw(socket))? == 0 {
            return Err(ErrorKind::WriteZero.into());
        }
    }
    Ok(())
}

/// That something does not fit now is no fault.
fn settled(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        other => other,
    }
}

/// A socket as rustls reads and writes it.
pub(crate) struct Raw<'a>(pub(crate) &'a Stream);

impl Read for Raw<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.try_read(buffer)?;
        if read > 0 && read < buffer.len() {
            // Nothing is left, so that the next wait need not ask the kernel first.
            self.0.forget_readiness();
        }
        Ok(read)
    }
}

impl Write for Raw<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.try_write_vectored(&[IoSlice::new(buffer)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
