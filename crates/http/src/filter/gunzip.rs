//! gunzip: answers for those who do not take what is compressed.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use flate2::write::MultiGzDecoder;
use futures_core::Stream;
use http::Method;

use super::gzip;
use crate::body::{Body, BodyStream};
use crate::exchange::Exchange;
use crate::response::Response;

/// How much is decompressed at once, in bytes: what comes of it is at most a thousand times longer,
/// and in memory until it is sent.
const BITE: usize = 256;

/// Decompresses an answer that the client would not understand (nginx:
/// `ngx_http_gunzip_header_filter`).
pub(super) fn apply(ex: &Exchange<'_>, response: &mut Response) {
    if !ex.location.gunzip.enabled {
        return;
    }
    let coding = response.headers.get("Content-Encoding");
    if !coding.is_some_and(|coding| coding.eq_ignore_ascii_case(b"gzip")) {
        return;
    }
    if ex.location.gzip.vary && !ex.subrequest {
        gzip::vary(response);
    }
    if !ex.subrequest && gzip::is_taken(ex, response) {
        return;
    }
    response.headers.remove("Content-Encoding");
    response.changed();
    if ex.method != Method::HEAD || ex.subrequest {
        let body = std::mem::take(&mut response.body).into_stream();
        let decoder = Some(MultiGzDecoder::new(Vec::new()));
        response.body = Body::Stream(Box::pin(Decoded { body, decoder, waiting: Bytes::new() }));
    }
}

struct Decoded {
    body: BodyStream,
    decoder: Option<MultiGzDecoder<Vec<u8>>>,
    /// What has come and is not decompressed yet.
    waiting: Bytes,
}

impl Stream for Decoded {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            let Some(decoder) = &mut this.decoder else { return Poll::Ready(None) };
            if this.waiting.is_empty() {
                match this.body.as_mut().poll_next(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Some(Ok(bytes))) => this.waiting = bytes,
                    Poll::Ready(Some(Err(error))) => {
                        this.decoder = None;
                        return Poll::Ready(Some(Err(error)));
                    }
                    Poll::Ready(None) => {
                        let rest = this.decoder.take().map(MultiGzDecoder::finish);
                        let rest =
                            rest.map(|rest| rest.map(Bytes::from).map_err(|error| broken(&error)));
                        let empty = matches!(&rest, Some(Ok(bytes)) if bytes.is_empty());
                        return Poll::Ready(rest.filter(|_| !empty));
                    }
                }
            }
            let bite = this.waiting.len().min(BITE);
            let fed = decoder
                .write_all(this.waiting.get(..bite).unwrap_or_default())
                .and_then(|()| decoder.flush());
            this.waiting.advance(bite);
            if let Err(error) = fed {
                this.decoder = None;
                return Poll::Ready(Some(Err(broken(&error))));
            }
            let out = std::mem::take(decoder.get_mut());
            if !out.is_empty() {
                return Poll::Ready(Some(Ok(out.into())));
            }
        }
    }
}

fn broken(error: &io::Error) -> io::Error {
    io::Error::other(format!("gunzip failed: {error}"))
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    async fn decoded(bytes: &[u8]) -> io::Result<(usize, usize)> {
        let body = Body::Bytes(Bytes::copy_from_slice(bytes)).into_stream();
        let decoder = Some(MultiGzDecoder::new(Vec::new()));
        let mut body = Decoded { body, decoder, waiting: Bytes::new() };
        let (mut length, mut longest) = (0, 0);
        while let Some(piece) = poll_fn(|cx| Pin::new(&mut body).poll_next(cx)).await {
            let piece = piece?;
            length += piece.len();
            longest = longest.max(piece.len());
        }
        Ok((length, longest))
    }

    #[tokio::test]
    async fn a_bomb_goes_off_in_small_pieces() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![0; 10_000_000]).unwrap();
        let bomb = encoder.finish().unwrap();
        assert!(bomb.len() < 20_000);
        let (length, longest) = decoded(&bomb).await.unwrap();
        assert_eq!(length, 10_000_000);
        assert!(longest < 1_000_000, "{longest} bytes at once");
    }

    #[tokio::test]
    async fn what_is_cut_or_broken_ends_short() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(b"hello").unwrap();
        let whole = encoder.finish().unwrap();
        assert_eq!(decoded(&whole).await.unwrap().0, 5);
        assert_eq!(decoded(&[whole.clone(), whole.clone()].concat()).await.unwrap().0, 10);
        assert!(decoded(&whole[..whole.len() - 1]).await.is_err());
        assert!(decoded(b"no gzip at all").await.is_err());
    }
}
