//! Compressing bytes, at once or while they come.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use futures_core::Stream;

use super::{Coding, Counts};
use crate::body::BodyStream;

/// The size a compressed piece has at least before it is sent while more is at hand, in bytes.
const PIECE: usize = 16 * 1024;

/// The system that the header of a gzip file names (RFC 1952, section 2.3): Unix.
const UNIX: u8 = 3;

/// The size of the pieces that brotli gives out, in bytes.
const BROTLI_PIECE: usize = 4096;

/// The binary logarithm of the largest window that browsers take: 8 MiB (RFC 9659).
const ZSTD_WINDOW: u32 = 23;

/// The highest level whose window is not larger.
const ZSTD_SMALL: i32 = 19;

/// Compresses bytes that are all here.
pub(super) fn compress(bytes: &[u8], coding: Coding) -> io::Result<Bytes> {
    let mut encoder = Encoder::new(coding)?;
    encoder.expect(bytes.len())?;
    encoder.write(bytes)?;
    encoder.finish()
}

/// Compresses bytes as they come. When no more come for the moment, what came is sent, so that
/// events are not held back.
pub(super) fn compress_stream(
    body: BodyStream,
    coding: Coding,
    counts: Counts,
) -> io::Result<BodyStream> {
    let encoder = Some(Encoder::new(coding)?);
    Ok(Box::pin(Encoded { body, encoder, held: false, counts }))
}

/// A compressor, and what has come out of it.
enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Encoder {
    fn new(coding: Coding) -> io::Result<Self> {
        Ok(match coding {
            Coding::Gzip { level } => {
                let builder = GzBuilder::new().operating_system(UNIX);
                Self::Gzip(builder.write(Vec::new(), Compression::new(level)))
            }
            Coding::Brotli { level, window } => Self::Brotli(Box::new(
                brotli::CompressorWriter::new(Vec::new(), BROTLI_PIECE, level, window),
            )),
            Coding::Zstd { level } => {
                let level = i32::try_from(level).unwrap_or_default();
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), level)?;
                if level > ZSTD_SMALL {
                    encoder.window_log(ZSTD_WINDOW)?;
                }
                Self::Zstd(encoder)
            }
        })
    }

    /// Says how many bytes there will be, so that no more memory is taken than these need.
    fn expect(&mut self, length: usize) -> io::Result<()> {
        match self {
            Self::Zstd(encoder) => encoder.set_pledged_src_size(Some(length as u64)),
            Self::Gzip(_) | Self::Brotli(_) => Ok(()),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Gzip(encoder) => encoder.write_all(bytes),
            Self::Brotli(encoder) => encoder.write_all(bytes),
            Self::Zstd(encoder) => encoder.write_all(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Gzip(encoder) => encoder.flush(),
            Self::Brotli(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }

    fn finish(self) -> io::Result<Bytes> {
        Ok(match self {
            Self::Gzip(encoder) => encoder.finish()?,
            Self::Brotli(encoder) => encoder.into_inner(),
            Self::Zstd(encoder) => encoder.finish()?,
        }
        .into())
    }

    fn out(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Brotli(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
        }
    }
}

struct Encoded {
    body: BodyStream,
    encoder: Option<Encoder>,
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
                    let result = encoder.write(&bytes);
                    this.count(bytes.len(), 0);
                    result
                }
                Poll::Ready(Some(Err(error))) => Err(error),
                Poll::Ready(None) => {
                    let rest = this.encoder.take().map(Encoder::finish);
                    if let Some(Ok(rest)) = &rest {
                        this.count(0, rest.len());
                    }
                    return Poll::Ready(
                        rest.filter(|rest| !matches!(rest, Ok(bytes) if bytes.is_empty())),
                    );
                }
            };
            if let Err(error) = result {
                this.encoder = None;
                return Poll::Ready(Some(Err(error)));
            }
            let Some(encoder) = &mut this.encoder else { return Poll::Ready(None) };
            let least = if this.held { PIECE } else { 1 };
            if encoder.out().len() >= least {
                let out = std::mem::take(encoder.out());
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

    const CODINGS: [Coding; 3] = [
        Coding::Gzip { level: 1 },
        Coding::Brotli { level: 6, window: 19 },
        Coding::Zstd { level: 1 },
    ];

    fn text(compressed: &[u8], coding: Coding) -> Vec<u8> {
        let mut text = Vec::new();
        let _ = match coding {
            Coding::Gzip { .. } => MultiGzDecoder::new(compressed).read_to_end(&mut text),
            Coding::Brotli { .. } => {
                brotli::Decompressor::new(compressed, 4096).read_to_end(&mut text)
            }
            Coding::Zstd { .. } => {
                zstd::stream::read::Decoder::new(compressed).unwrap().read_to_end(&mut text)
            }
        };
        text
    }

    fn encoded(pieces: impl Into<VecDeque<io::Result<Bytes>>>, coding: Coding) -> BodyStream {
        let body = Box::pin(Slow(pieces.into(), false));
        compress_stream(body, coding, Counts::default()).unwrap()
    }

    #[tokio::test]
    async fn what_has_come_is_sent_before_more_comes() {
        for coding in CODINGS {
            is_sent_before_more_comes(coding).await;
        }
    }

    async fn is_sent_before_more_comes(coding: Coding) {
        let mut body = encoded([Ok(Bytes::from("one")), Ok(Bytes::from("two"))], coding);
        let mut sent = Vec::new();
        for expected in [&b"one"[..], b"onetwo"] {
            let piece = poll_fn(|cx| body.as_mut().poll_next(cx)).await.unwrap().unwrap();
            sent.extend_from_slice(&piece);
            assert_eq!(text(&sent, coding), expected, "{coding:?}");
        }
        let end = poll_fn(|cx| body.as_mut().poll_next(cx)).await.unwrap().unwrap();
        sent.extend_from_slice(&end);
        assert_eq!(text(&sent, coding), b"onetwo");
        assert!(poll_fn(|cx| body.as_mut().poll_next(cx)).await.is_none());
        assert_eq!(text(&compress(b"onetwo", coding).unwrap(), coding), b"onetwo");
    }

    #[tokio::test]
    async fn an_error_ends_the_stream_short() {
        let pieces = [Ok(Bytes::from("one")), Err(io::ErrorKind::ConnectionReset.into())];
        let mut body = encoded(pieces, CODINGS[0]);
        assert!(poll_fn(|cx| body.as_mut().poll_next(cx)).await.unwrap().is_ok());
        assert!(poll_fn(|cx| body.as_mut().poll_next(cx)).await.unwrap().is_err());
        assert!(poll_fn(|cx| body.as_mut().poll_next(cx)).await.is_none());
    }
}
