//! The bytes of a connection of HTTP/2 between the socket and h2; what passes is watched.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use bytes::Buf;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use super::guard::{self, FRAME_HEADER, Guard, Heads, kind};
use crate::connection::io::Io;

/// A client's socket, as h2 wants it.
pub(super) struct Wire {
    io: Rc<Io>,
    watch: Rc<Watch>,
}

/// What is known of the bytes that pass.
pub(super) struct Watch {
    /// What the client's frames cost.
    pub(super) guard: RefCell<Guard>,
    /// The kind of the frame that was one too many.
    pub(super) flood: Cell<Option<u8>>,
    /// Since when the client takes nothing.
    pub(super) blocked: Cell<Option<Instant>>,
    /// Told when one of the two has come to be.
    pub(super) changed: Notify,
    /// Whether nothing is written any more.
    over: Cell<bool>,
    heads: RefCell<Heads>,
    tallies: RefCell<HashMap<u32, Rc<Tally>>>,
}

/// What has been written of one stream.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// All bytes of its frames.
    pub(super) bytes: Cell<u64>,
    /// The bytes of its body.
    pub(super) body: Cell<u64>,
    ended: Cell<bool>,
    /// Whether nothing is written any more.
    over: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Wire {
    pub(super) fn new(io: Rc<Io>, watch: Rc<Watch>) -> Self {
        Self { io, watch }
    }
}

impl Watch {
    pub(super) fn new() -> Rc<Self> {
        Rc::new(Self {
            guard: RefCell::new(Guard::new(Instant::now())),
            flood: Cell::new(None),
            blocked: Cell::new(None),
            changed: Notify::new(),
            over: Cell::new(false),
            heads: RefCell::default(),
            tallies: RefCell::default(),
        })
    }

    /// Begins to count what is written of a stream.
    pub(super) fn tally(&self, stream: u32) -> Rc<Tally> {
        let tally = Rc::new(Tally { over: self.over.clone(), ..Tally::default() });
        self.tallies.borrow_mut().insert(stream, Rc::clone(&tally));
        tally
    }

    /// Counts it no more.
    pub(super) fn forget(&self, stream: u32) {
        self.tallies.borrow_mut().remove(&stream);
    }

    /// The connection has ended: who waits for the last frame of a stream waits in vain.
    pub(super) fn is_over(&self) {
        self.over.set(true);
        for tally in self.tallies.borrow().values() {
            tally.over.set(true);
            tally.wake();
        }
    }

    fn read(&self, bytes: &[u8]) {
        if let Err(kind) = self.guard.borrow_mut().read(bytes, Instant::now()) {
            self.flood.set(Some(kind));
            self.changed.notify_one();
        }
    }

    fn wrote(&self, slices: &[IoSlice<'_>], mut length: usize) {
        self.blocked.set(None);
        self.guard.borrow_mut().sent(length as u64);
        let (mut heads, tallies) = (self.heads.borrow_mut(), self.tallies.borrow());
        for slice in slices {
            let mut bytes = slice.get(..length.min(slice.len())).unwrap_or_default();
            length -= bytes.len();
            while let Some(head) = heads.next(&mut bytes) {
                if let Some(tally) = tallies.get(&head.stream) {
                    tally.count(&head);
                }
            }
        }
    }

    fn is_blocked(&self) {
        if self.blocked.get().is_none() {
            self.blocked.set(Some(Instant::now()));
            self.changed.notify_one();
        }
    }
}

impl Tally {
    fn count(&self, head: &guard::FrameHead) {
        let length = u64::from(head.length);
        self.bytes.set(self.bytes.get() + length + FRAME_HEADER as u64);
        if head.kind == kind::DATA {
            self.body.set(self.body.get() + length);
        }
        let ends = matches!(head.kind, kind::DATA | kind::HEADERS)
            && head.flags & guard::END_STREAM != 0
            || head.kind == kind::RST_STREAM;
        if ends {
            self.ended.set(true);
            self.wake();
        }
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Ready when the last frame of the stream is on its way; an error where it will never be.
    pub(super) fn poll_ended(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        if self.ended.get() {
            return Poll::Ready(Ok(()));
        }
        if self.over.get() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        *self.waker.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let io = &self.io;
        if self.watch.flood.get().is_some() {
            // Nothing more is heard; the connection is about to end.
            return Poll::Pending;
        }
        loop {
            {
                let mut buffer = io.buffer.borrow_mut();
                let length = buffer.len().min(out.remaining());
                if let Some(bytes) = buffer.get(..length).filter(|bytes| !bytes.is_empty()) {
                    self.watch.read(bytes);
                    out.put_slice(bytes);
                    buffer.advance(length);
                    return Poll::Ready(Ok(()));
                }
            }
            if io.has_ended() {
                return Poll::Ready(Ok(()));
            }
            match io.poll_fill(cx) {
                Poll::Ready(filled) => filled?,
                Poll::Pending => {
                    io.shrink();
                    return Poll::Pending;
                }
            };
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            match self.io.stream.try_write_vectored(slices) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let ready = self.io.stream.poll_write_ready(cx);
                    if ready.is_pending() {
                        self.watch.is_blocked();
                    }
                    ready!(ready)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(written) => {
                    self.watch.wrote(slices, written);
                    return Poll::Ready(Ok(written));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.io.stream.try_flush() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let ready = self.io.stream.poll_write_ready(cx);
                    if ready.is_pending() {
                        self.watch.is_blocked();
                    }
                    ready!(ready)?;
                }
                done => return Poll::Ready(done),
            }
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.stream.shutdown();
        Poll::Ready(Ok(()))
    }
}
