//! The connection of a tunnel, and what is counted of it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Tally;
use crate::stream::Stream;
use crate::upstream::selection::Lease;

/// The connection of a tunnel, which its peer is leased for as long as it lasts.
pub(crate) struct Leased {
    /// The connection.
    pub(crate) stream: Stream,
    /// Its peer.
    pub(crate) _lease: Lease,
    /// What is counted of it.
    pub(crate) tally: Tally,
}

impl Drop for Leased {
    fn drop(&mut self) {
        self.tally.end(Instant::now());
    }
}

impl AsyncRead for Leased {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buf);
        let length = (buf.filled().len() - before) as u64;
        this.tally.count(|current| {
            current.bytes_received += length;
            current.response_length += length;
        });
        read
    }
}

impl AsyncWrite for Leased {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(length)) = &written {
            this.tally.count(|current| current.bytes_sent += *length as u64);
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
