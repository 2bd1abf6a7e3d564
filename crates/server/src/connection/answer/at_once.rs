//! Most answers are here as a whole, and go at once.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::Poll;

use bytes::{Buf, Bytes, BytesMut};
use tidegate_http::answer_head::{self, Frame, Framing, Promise};
use tidegate_http::body::Body;
use tidegate_http::response::Response;

use super::Writer;
use crate::connection::io::Follows;

thread_local! {
    /// The memory that answers are put together in.
    static MEMORY: Cell<BytesMut> = Cell::default();
}

/// What a head takes, mostly, in bytes.
const HEAD: usize = 512;

/// The most bytes of a body that are copied behind their head, so that both are one piece for the
/// kernel, which costs it less than two.
const JOINED: usize = 8 * 1024;

/// An answer's head, while it is being put together.
pub(super) struct Start(BytesMut);

impl Start {
    /// Puts down a head, behind what is owed of an interim answer; what it promises.
    pub(super) fn of(
        response: &Response,
        frame: &Frame<'_>,
        owed: Option<Bytes>,
    ) -> (Self, Promise) {
        let mut start = MEMORY.take();
        start.clear();
        start.reserve(HEAD + JOINED);
        if let Some(owed) = owed {
            start.extend_from_slice(&owed);
        }
        let promise = answer_head::write(response, frame, &mut start);
        (Self(start), promise)
    }

    /// The bytes so far.
    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// As bytes of their own.
    fn split(&mut self) -> Bytes {
        self.0.split().freeze()
    }
}

impl Drop for Start {
    fn drop(&mut self) {
        MEMORY.set(std::mem::take(&mut self.0));
    }
}

impl Writer<'_> {
    /// Writes what is here as a whole, without waiting; what is left of it.
    pub(super) fn at_once(
        &mut self,
        mut start: Start,
        body: Body,
        follows: Follows,
    ) -> io::Result<Option<Body>> {
        let bytes = match (self.framing, body) {
            (_, body) if self.pace.is_some() => {
                self.head = start.split();
                return Ok(Some(body));
            }
            (Framing::None, _) | (Framing::Length(_) | Framing::Close, Body::Empty) => Bytes::new(),
            (Framing::Length(_) | Framing::Close, Body::Bytes(bytes)) => bytes,
            (_, body) => {
                self.head = start.split();
                return Ok(Some(body));
            }
        };
        if bytes.len() <= JOINED {
            start.0.extend_from_slice(&bytes);
            let written = self.io.send_now(&start.0, follows)?;
            self.bytes += written.length as u64;
            if written.is_all {
                return Ok(None);
            }
            // What is left is as good as a head.
            start.0.advance(written.length);
            self.head = start.split();
            return Ok(Some(Body::Empty));
        }
        let length = start.len() + bytes.len() as u64;
        let mut pieces = [start.split(), bytes];
        let whole = self.io.write_now(&mut pieces)?;
        let [head, bytes] = pieces;
        self.bytes += length - (head.len() + bytes.len()) as u64;
        self.head = head;
        let rest = if bytes.is_empty() { Body::Empty } else { Body::Bytes(bytes) };
        Ok((!whole).then_some(rest))
    }
}

/// Asks a future once; `None` means not yet.
pub(super) async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
