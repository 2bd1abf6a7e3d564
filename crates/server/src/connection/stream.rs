//! A client's socket, whatever kind it is.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use std::task::{Context, Poll};

use bytes::BytesMut;
use tokio::net::{TcpStream, UnixStream};

/// A client's socket. All methods take it by reference, for a request's body may be read while its
/// answer is written.
#[derive(Debug)]
pub(crate) enum Stream {
    /// TCP.
    Tcp(TcpStream),
    /// A unix socket.
    Unix(UnixStream),
}

impl Stream {
    /// Reads what is there; 0 is the end.
    pub(crate) fn try_read_buf(&self, buffer: &mut BytesMut) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_read_buf(buffer),
            Self::Unix(stream) => stream.try_read_buf(buffer),
        }
    }

    /// Writes as much as fits.
    pub(crate) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_write_vectored(slices),
            Self::Unix(stream) => stream.try_write_vectored(slices),
        }
    }

    /// Whether there is something to read.
    pub(crate) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_read_ready(cx),
            Self::Unix(stream) => stream.poll_read_ready(cx),
        }
    }

    /// Whether something fits.
    pub(crate) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_write_ready(cx),
            Self::Unix(stream) => stream.poll_write_ready(cx),
        }
    }

    /// Takes note that all there was has been read; the kernel tells of more.
    pub(crate) fn forget_readiness(&self) {
        let none = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
        let interest = tokio::io::Interest::READABLE;
        let _ = match self {
            Self::Tcp(stream) => stream.try_io(interest, none),
            Self::Unix(stream) => stream.try_io(interest, none),
        };
    }

    /// Waits until there is something to read.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.readable().await,
            Self::Unix(stream) => stream.readable().await,
        }
    }

    /// Waits until something fits.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.writable().await,
            Self::Unix(stream) => stream.writable().await,
        }
    }

    /// Sends a piece of a file without copying it through this process; 0 is the file's end.
    pub(crate) fn try_send_file(
        &self,
        file: BorrowedFd<'_>,
        offset: &mut u64,
        length: usize,
    ) -> io::Result<usize> {
        let interest = tokio::io::Interest::WRITABLE;
        match self {
            Self::Tcp(stream) => stream.try_io(interest, || {
                Ok(rustix::fs::sendfile(stream.as_fd(), file, Some(offset), length)?)
            }),
            Self::Unix(stream) => stream.try_io(interest, || {
                Ok(rustix::fs::sendfile(stream.as_fd(), file, Some(offset), length)?)
            }),
        }
    }

    /// Lets the end of the connection be a reset, which asks nothing more of the kernel's memory.
    pub(crate) fn reset_on_close(&self) {
        if let Self::Tcp(stream) = self {
            let _ = socket2::SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO));
        }
    }

    /// Tells the client that nothing more comes.
    pub(crate) fn shutdown(&self) {
        let fd = match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        };
        let _ = rustix::net::shutdown(fd, rustix::net::Shutdown::Write);
    }
}
