//! What is read from a client and not yet used, and the socket behind it.

mod write;

use std::cell::{Cell, RefCell};
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tidegate_http::client::{TcpInfo, Transport};
use tidegate_http::receive::make_room;

use super::patience::Patience;
use super::stream::Stream;
pub(crate) use write::Follows;

/// How much is read at once behind what is there.
const READ: usize = 16 * 1024;

/// How much is read at most at once within a body.
const READ_BODY: usize = 64 * 1024;

/// How much is read at once where a head may begin; most heads are shorter.
const READ_HEAD: usize = 4 * 1024;

/// The most buffers for heads that a thread keeps.
const SPARES: usize = 64;

thread_local! {
    /// Buffers for heads that nobody uses.
    static SPARE: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

/// A client's socket, and what was read from it and not yet used.
#[derive(Debug)]
pub(crate) struct Io {
    pub(crate) stream: Stream,
    pub(crate) buffer: RefCell<BytesMut>,
    ended: Cell<bool>,
    /// Whether the last read has filled all the room it had.
    eager: Cell<bool>,
    /// Whether what was written last waits for the end, to go in one packet with it.
    held: Cell<bool>,
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
            held: Cell::new(false),
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
        make_room(&mut buffer, size);
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
}

impl Transport for Io {
    fn tcp_info(&self) -> Option<TcpInfo> {
        self.stream.tcp_info()
    }
}
