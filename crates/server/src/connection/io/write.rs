//! What is written to a client.

use std::io::{self, IoSlice};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tidegate_http::body::FileSlice;

use super::Io;

/// What is written behind some bytes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follows {
    /// Nothing, or nobody knows.
    Nothing,
    /// A piece of a file.
    File,
    /// The end of all that is written, as soon as [`Io::end`] says so.
    End,
}

/// What has been written without waiting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SentNow {
    /// So many bytes of it.
    pub(crate) length: usize,
    /// Whether all has gone, and nothing of it is on its way to be encrypted.
    pub(crate) is_all: bool,
}

impl Io {
    /// Writes all of it; `patience` bounds how long the client may take nothing (`send_timeout`).
    pub(crate) async fn write_all<const N: usize>(
        &self,
        pieces: [Bytes; N],
        patience: Duration,
    ) -> io::Result<()> {
        self.write(pieces, patience, Follows::Nothing).await
    }

    /// The same; what stands before a file is told to wait for it.
    pub(crate) async fn write<const N: usize>(
        &self,
        mut pieces: [Bytes; N],
        patience: Duration,
        follows: Follows,
    ) -> io::Result<()> {
        let mut left: usize = pieces.iter().map(Bytes::len).sum();
        while left > 0 {
            let mut slices: [IoSlice<'_>; N] = std::array::from_fn(|_| IoSlice::new(&[]));
            let filled = pieces.iter().filter(|piece| !piece.is_empty());
            let count = slices.iter_mut().zip(filled).map(|(slice, piece)| {
                *slice = IoSlice::new(piece);
            });
            let count = count.count();
            let filled = slices.get(..count).unwrap_or_default();
            let written = match follows {
                Follows::Nothing | Follows::End => self.stream.try_write_vectored(filled),
                Follows::File => self.stream.try_write_more(filled),
            };
            match written {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    left -= written.min(left);
                    if left > 0 {
                        advance(&mut pieces, written);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.room(patience).await?;
                }
                Err(error) => return Err(error),
            }
        }
        self.flush(patience).await
    }

    /// Sends a piece of a file. A file that has become shorter is an error.
    pub(crate) async fn send_file(
        &self,
        slice: &FileSlice,
        most: usize,
        patience: Duration,
    ) -> io::Result<()> {
        use std::os::fd::AsFd;
        let mut offset = slice.offset;
        let end = slice.offset + slice.length;
        while offset < end {
            let length = usize::try_from(end - offset).unwrap_or(most).min(most);
            match self.stream.try_send_file(slice.file.as_fd(), &mut offset, length) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                // A fast client must not hold the worker.
                Ok(_) if offset < end => tokio::task::yield_now().await,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.room(patience).await?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.flush(patience).await
    }

    /// Waits until all that has been encrypted has gone.
    pub(crate) async fn flush(&self, patience: Duration) -> io::Result<()> {
        loop {
            match self.stream.try_flush() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.room(patience).await?;
                }
                done => return done,
            }
        }
    }

    /// Writes two pieces, as far as they fit at once; whether all has gone.
    pub(crate) fn write_now(&self, pieces: &mut [Bytes; 2]) -> io::Result<bool> {
        let [first, second] = &*pieces;
        let all = first.len() + second.len();
        let written = self.stream.try_write_vectored(&[IoSlice::new(first), IoSlice::new(second)]);
        let sent = self.sent(written, all)?;
        advance(pieces, sent.length);
        Ok(sent.is_all)
    }

    /// Writes one piece, as far as it fits at once.
    pub(crate) fn send_now(&self, piece: &[u8], follows: Follows) -> io::Result<SentNow> {
        let sent = match follows {
            _ if piece.is_empty() => Ok(0),
            Follows::End => {
                let sent = self.stream.try_send_last(piece);
                self.held.set(sent.as_ref().is_ok_and(|sent| *sent == piece.len()));
                sent
            }
            Follows::Nothing | Follows::File => self.stream.try_send(piece),
        };
        self.sent(sent, piece.len())
    }

    /// Lets go of what waits for the end: nothing is written any more.
    pub(crate) fn end(&self) {
        if self.held.take() {
            self.stream.end();
        }
    }

    fn sent(&self, written: io::Result<usize>, all: usize) -> io::Result<SentNow> {
        let length = match written {
            Ok(0) if all > 0 => return Err(io::ErrorKind::WriteZero.into()),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error),
        };
        if length < all {
            return Ok(SentNow { length, is_all: false });
        }
        match self.stream.try_flush() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Ok(SentNow { length, is_all: false })
            }
            flushed => flushed.map(|()| SentNow { length, is_all: true }),
        }
    }

    async fn room(&self, patience: Duration) -> io::Result<()> {
        let writable = self.patience.within(patience, self.stream.writable());
        writable.await.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
    }
}

fn advance(pieces: &mut [Bytes], mut written: usize) {
    for piece in pieces {
        let step = written.min(piece.len());
        piece.advance(step);
        written -= step;
    }
}
