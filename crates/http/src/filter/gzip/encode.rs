//! Compressing bytes, at once or while they come.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use futures_core::Stream;

use super::Counts;
use crate::body::BodyStream;

/// The size a compressed piece has at least before it is sent while more is at hand, in bytes.
const PIECE: usize = 16 * 1024;

/// The system that the header of a gzip file names (RFC 1952, section 2.3): Unix.
const UNIX: u8 = 3;

/// Compresses bytes that are all here.
pub(super) fn compress(bytes: &[u8], level: u32) -> io::Result<Bytes> {
    let mut encoder = encoder(level);
    encoder.write_all(bytes)?;
    encoder.finish().map(Bytes::from)
}

/// Compresses bytes as they come. When no more come for the moment, what came is sent, so that
/// events are not held back.
pub(super) fn compress_stream(body: BodyStream, level: u32, counts: Counts) -> BodyStream {
    Box::pin(Encoded { body, encoder: Some(encoder(level)), held: false, counts })
}

fn encoder(level: u32) -> GzEncoder<Vec<u8>> {
    GzBuilder::new().operating_system(UNIX).write(Vec::new(), Compression::new(level))
}

struct Encoded {
    body: BodyStream,
    encoder: Option<GzEncoder<Vec<u8>>>,
    /// Whether the encoder holds bytes that the client has not been sent.
    held: bool,
    counts: Counts,
}

impl Encoded {
    fn count(&self, before: usize, after: usize) {
        let (all_before, all_after) = self.counts.get();
        self.counts.set((all_before + before as u64, all_after + after as u64));
    }
}

impl Stream for Encoded {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            let Some(encoder) = &mut this.encoder else { return Poll::Ready(None) };
            let result = match this.body.as_mut().poll_next(cx) {
                Poll::Pending if !this.held => return Poll::Pending,
                Poll::Pending => {
                    this.held = false;
                    encoder.flush()
                }
                Poll::Ready(Some(Ok(bytes))) => {
                    this.held = true;
                    let result = encoder.write_all(&bytes);
                    this.count(bytes.len(), 0);
                    result
                }
                Poll::Ready(Some(Err(error))) => Err(error),
                Poll::Ready(None) => {
                    let rest = this.encoder.take().map(GzEncoder::finish);
                    if let Some(Ok(rest)) = &rest {
                        this.count(0, rest.len());
                    }
                    return Poll::Ready(rest.map(|rest| rest.map(Bytes::from)));
                }
            };
            if let Err(error) = result {
                this.encoder = None;
                return Poll::Ready(Some(Err(error)));
            }
            let Some(encoder) = &mut this.encoder else { return Poll::Ready(None) };
            let least = if this.held { PIECE } else { 1 };
            if encoder.get_ref().len() >= least {
                let out = std::mem::take(encoder.get_mut());
                this.count(0, out.len());
                return Poll::Ready(Some(Ok(Bytes::from(out))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::future::poll_fn;
    use std::io::Read;

    use flate2::read::MultiGzDecoder;

    use super::*;

    /// Gives its pieces one by one, and is not ready before each.
    struct Slow(VecDeque<io::Result<Bytes>>, bool);

    impl Stream for Slow {
        type Item = io::Result<Bytes>;

        fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.1 = !self.1;
            if self.1 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(self.0.pop_front())
        }
    }

    fn text(compressed: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        let _ = MultiGzDecoder::new(compressed).read_to_end(&mut text);
        text
    }

    #[tokio::test]
    async fn what_has_come_is_sent_before_more_comes() {
        let pieces = [Ok(Bytes::from("one")), Ok(Bytes::from("two"))];
        let mut body = compress_stream(Box::pin(Slow(pieces.into(), false)), 1, Counts::default());
        let mut sent = Vec::new();
        for expected in [&b"one"[..], b"onetwo"] {
            let piece = poll_fn(|cx| body.as_mut().poll_next(cx)).await.unwrap().unwrap();
            sent.extend_from_slice(&piece);
            assert_eq!(text(&sent), expected);
        }
        let end = poll_fn(|cx| body.as_mut().poll_next(cx)).await.unwrap().unwrap();
        sent.extend_from_slice(&end);
        assert_eq!(text(&sent), b"onetwo");
        assert!(poll_fn(|cx| body.as_mut().poll_next(cx)).await.is_none());
        assert_eq!(text(&compress(b"onetwo", 9).unwrap()), b"onetwo");
    }

    #[tokio::test]
    async fn an_error_ends_the_stream_short() {
        let pieces = [Ok(Bytes::from("one")), Err(io::ErrorKind::ConnectionReset.into())];
        let mut body = compress_stream(Box::pin(Slow(pieces.into(), false)), 1, Counts::default());
        assert!(poll_fn(|cx| body.as_mut().poll_next(cx)).await.unwrap().is_ok());
        assert!(poll_fn(|cx| body.as_mut().poll_next(cx)).await.unwrap().is_err());
        assert!(poll_fn(|cx| body.as_mut().poll_next(cx)).await.is_none());
    }
}
