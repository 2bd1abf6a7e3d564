//! transform: a body that is changed while it is sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;

use crate::body::BodyStream;

/// What changes bytes that come in pieces, wherever these are cut.
pub(super) trait Transform {
    /// Takes a piece; what is certain goes to `out`, the rest is held.
    fn feed(&mut self, input: &[u8], out: &mut Vec<u8>);

    /// Gives out what is held.
    fn end(&mut self, out: &mut Vec<u8>);

    /// Whether all that comes from now on stays as it is.
    fn is_over(&self) -> bool {
        false
    }
}

/// The body, changed.
pub(super) fn transform(body: BodyStream, with: impl Transform + Unpin + 'static) -> BodyStream {
    Box::pin(Transformed { body, with, ended: false })
}

/// Bytes that are all here, changed.
pub(super) fn whole(mut with: impl Transform, bytes: &Bytes) -> Bytes {
    let mut out = Vec::with_capacity(bytes.len());
    with.feed(bytes, &mut out);
    with.end(&mut out);
    out.into()
}

struct Transformed<T> {
    body: BodyStream,
    with: T,
    ended: bool,
}

impl<T: Transform + Unpin> Stream for Transformed<T> {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if this.ended {
                return Poll::Ready(None);
            }
            let mut out = Vec::new();
            match this.body.as_mut().poll_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(bytes))) if this.with.is_over() => {
                    return Poll::Ready(Some(Ok(bytes)));
                }
                Poll::Ready(Some(Ok(bytes))) => this.with.feed(&bytes, &mut out),
                Poll::Ready(Some(Err(error))) => {
                    this.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(None) => {
                    this.ended = true;
                    this.with.end(&mut out);
                }
            }
            if !out.is_empty() {
                return Poll::Ready(Some(Ok(out.into())));
            }
        }
    }
}
