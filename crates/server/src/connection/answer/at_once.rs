//! Most answers are here as a whole, and go at once.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use tidegate_http::answer_head::{self, Frame, Framing, Promise};
use tidegate_http::body::Body;
use tidegate_http::response::Response;

use super::Writer;

/// Writes a head, behind what is owed of an interim answer, into memory that serves for many.
pub(super) fn write_head(
    response: &Response,
    frame: &Frame<'_>,
    owed: Option<Bytes>,
) -> (Bytes, Promise) {
    thread_local! {
        static HEADS: Cell<BytesMut> = Cell::default();
    }
    HEADS.with(|heads| {
        let mut head = heads.take();
        if head.capacity() < HEAD {
            head.reserve(HEADS_SIZE);
        }
        if let Some(owed) = owed {
            head.extend_from_slice(&owed);
        }
        let promise = answer_head::write(response, frame, &mut head);
        let bytes = head.split().freeze();
        heads.set(head);
        (bytes, promise)
    })
}

/// What a head takes, mostly, in bytes.
const HEAD: usize = 512;

/// The memory that heads are written to one after the other, in bytes.
const HEADS_SIZE: usize = 8192;

impl Writer<'_> {
    /// Writes what is here as a whole, without waiting; what is left of it.
    pub(super) fn at_once(&mut self, body: Body) -> io::Result<Option<Body>> {
        let bytes = match (self.framing, body) {
            (_, body) if self.pace.is_some() => return Ok(Some(body)),
            (Framing::None, _) | (Framing::Length(_) | Framing::Close, Body::Empty) => Bytes::new(),
            (Framing::Length(_) | Framing::Close, Body::Bytes(bytes)) => bytes,
            (_, body) => return Ok(Some(body)),
        };
        let length = (self.head.len() + bytes.len()) as u64;
        let mut pieces = [std::mem::take(&mut self.head), bytes];
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
