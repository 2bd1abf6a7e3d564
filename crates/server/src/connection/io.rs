//! What is read from a client and not yet used, and the socket behind it.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tidegate_http::body::FileSlice;
use tidegate_http::client::{TcpInfo, Transport};

use super::patience::Patience;
use super::stream::Stream;

/// How much is read at once behind what is there.
const READ: usize = 16 * 1024;

/// How much is read at most at once within a body.
const READ_BODY: usize = 64 * 1024;

/// How much is read at once where a head may begin; most heads are shorter.
const READ_HEAD: usize = 2 * 1024;

/// The most buffers for heads that a thread keeps.
const SPARES: usize = 64;

thread_local! {
    /// Buffers for heads that nobody uses.
    static SPARE: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

/// What is written behind some bytes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follows {
    /// Nothing, or nobody knows.
    Nothing,
    /// A piece of a file.
    File,
}

/// What has been written without waiting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SentNow {
    /// So many bytes of it.
    pub(crate) length: usize,
    /// Whether all has gone, and nothing of it is on its way to be encrypted.
    pub(crate) is_all: bool,
}

/// A client's socket, and what was read from it and not yet used.
#[derive(Debug)]
pub(crate) struct Io {
    pub(crate) stream: Stream,
    pub(crate) buffer: RefCell<BytesMut>,
    ended: Cell<bool>,
    /// Whether the last read has filled all the room it had.
    eager: Cell<bool>,
    /// How long the client is waited for.
    pub(crate) patience: Patience,
    /// What of an interim answer has not gone: it comes before anything else.
    pub(crate) owed: RefCell<Option<Bytes>>,
}

impl Io {
    pub(crate) fn new(stream: Stream) -> Self {
        Self {
            stream,
            buffer: RefCell::new(BytesMut::new()),
            ended: Cell::new(false),
            eager: Cell::new(false),
            patience: Patience::default(),
            owed: RefCell::default(),
        }
    }

    /// Whether the client has said that nothing more comes.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.get()
    }

    /// Reads more behind what is there. An end is no error; [`has_ended`](Self::has_ended) tells.
    pub(crate) fn poll_fill(&self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let size = self.usual();
        self.poll_fill_by(size, cx)
    }

    /// The same within a body of which so many bytes are to come.
    pub(crate) fn poll_fill_body(
        &self,
        left: u64,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let most = if self.eager.get() { READ_BODY } else { READ };
        let size = usize::try_from(left).unwrap_or(most).clamp(READ_HEAD, most);
        self.poll_fill_by(size, cx)
    }

    fn poll_fill_by(&self, size: usize, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            match self.fill_by(size) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
    }

    /// How much is read at once where it is not known what comes.
    fn usual(&self) -> usize {
        if self.buffer.borrow().capacity() == 0 { READ_HEAD } else { READ }
    }

    /// Reads what there may be, without asking first whether there is; `None` where there is nothing,
    /// and who waits is not told of what comes.
    pub(crate) fn fill_now(&self) -> Option<io::Result<usize>> {
        match self.fill_by(self.usual()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            done => Some(done),
        }
    }

    fn fill_by(&self, size: usize) -> io::Result<usize> {
        let mut buffer = self.buffer.borrow_mut();
        if buffer.capacity() == 0 && size <= READ_HEAD {
            *buffer = SPARE.with_borrow_mut(Vec::pop).unwrap_or_default();
        }
        buffer.reserve(size);
        let room = buffer.capacity() - buffer.len();
        let read = self.stream.try_read_buf(&mut buffer)?;
        self.eager.set(read == room);
        if read == 0 {
            self.ended.set(true);
        } else if read < room {
            // Nothing is left, so that the next wait need not ask the kernel first.
            self.stream.forget_readiness();
        }
        Ok(read)
    }

    /// Waits for more, at most for this time.
    pub(crate) async fn fill(&self, patience: Duration) -> io::Result<usize> {
        let filled = self.patience.within(patience, std::future::poll_fn(|cx| self.poll_fill(cx)));
        filled.await.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Gives the buffer's memory back where nothing is in it: another connection's next head may be
    /// read into it, unless somebody holds a part of it still.
    pub(crate) fn shrink(&self) {
        let mut buffer = self.buffer.borrow_mut();
        if !buffer.is_empty() || buffer.capacity() == 0 {
            return;
        }
        let mut buffer = std::mem::take(&mut *buffer);
        if buffer.try_reclaim(READ_HEAD) && buffer.capacity() < 2 * READ_HEAD {
            SPARE.with_borrow_mut(|spare| {
                if spare.len() < SPARES {
                    spare.push(buffer);
                }
            });
        }
    }

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
                Follows::Nothing => self.stream.try_write_vectored(filled),
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
    pub(crate) fn send_now(&self, piece: &[u8]) -> io::Result<SentNow> {
        let sent = if piece.is_empty() { Ok(0) } else { self.stream.try_send(piece) };
        self.sent(sent, piece.len())
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

impl Transport for Io {
    fn tcp_info(&self) -> Option<TcpInfo> {
        self.stream.tcp_info()
    }
}

fn advance(pieces: &mut [Bytes], mut written: usize) {
    for piece in pieces {
        let step = written.min(piece.len());
        piece.advance(step);
        written -= step;
    }
}
