//! A connection to a peer, whatever carries it.

mod heard;

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::fs::sendfile;
use rustix::net::{SendAncillaryBuffer, SendFlags, send, sendmsg};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::http2::Session;
use crate::secure::{Secured, Tls};
use crate::upstream::pool::Home;

/// An open connection.
#[derive(Debug)]
pub enum Stream {
    /// Over TCP.
    Tcp(TcpStream),
    /// Over a unix socket.
    Unix(UnixStream),
    /// Over one of them, which the library for HTTP/2 reads and writes.
    Http2(Session),
    /// TLS over one of the others.
    Tls(Box<Tls>),
}

impl Stream {
    /// Whether it can be used from another event loop: nothing but its socket belongs to one, or that
    /// goes on to be its own task's.
    pub(crate) fn can_move(&self) -> bool {
        match self {
            Self::Tcp(_) | Self::Unix(_) | Self::Http2(_) => true,
            Self::Tls(tls) => tls.stream.get_ref().0.is_plain(),
        }
    }

    /// The worker that drives it, where a task does.
    pub(crate) fn home(&self) -> Option<&Home> {
        match self {
            Self::Http2(session) => Some(session.home()),
            Self::Tcp(_) | Self::Unix(_) | Self::Tls(_) => None,
        }
    }

    /// The same for the event loop of this thread.
    pub(crate) fn moved(self) -> io::Result<Self> {
        match self {
            Self::Tcp(stream) => TcpStream::from_std(stream.into_std()?).map(Self::Tcp),
            Self::Unix(stream) => UnixStream::from_std(stream.into_std()?).map(Self::Unix),
            Self::Tls(mut tls) => {
                // What is encrypted by goes on beside another descriptor of the same socket, for the
                // library does not give both back.
                let (socket, _) = tls.stream.get_mut();
                *socket = socket.again()?;
                Ok(Self::Tls(tls))
            }
            Self::Http2(_) => Ok(self),
        }
    }

    /// Another descriptor of the same socket, in the event loop of this thread.
    fn again(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(stream) => {
                let socket = stream.as_fd().try_clone_to_owned()?;
                TcpStream::from_std(socket.into()).map(Self::Tcp)
            }
            Self::Unix(stream) => {
                let socket = stream.as_fd().try_clone_to_owned()?;
                UnixStream::from_std(socket.into()).map(Self::Unix)
            }
            Self::Http2(_) | Self::Tls(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Whether it is a bare socket.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self, Self::Tcp(_) | Self::Unix(_))
    }

    /// Writes what more follows behind, so that it need not go in a packet of its own.
    pub(crate) fn poll_write_more(
        &mut self,
        slices: &[IoSlice<'_>],
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let Self::Tcp(stream) = self else { return Pin::new(self).poll_write_vectored(cx, slices) };
        let flags = SendFlags::MORE | SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        loop {
            ready!(stream.poll_write_ready(cx))?;
            let sent = stream.try_io(Interest::WRITABLE, || {
                Ok(sendmsg(&*stream, slices, &mut SendAncillaryBuffer::default(), flags)?)
            });
            if let Some(sent) = unless_it_would_block(sent) {
                return Poll::Ready(sent);
            }
        }
    }

    /// Sends what fits of so many bytes of a file, and moves the place in it.
    pub(crate) fn poll_send_file(
        &self,
        file: &File,
        (position, length): (&mut u64, usize),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut call = |socket: BorrowedFd<'_>| Ok(sendfile(socket, file, Some(position), length)?);
        loop {
            let sent = match self {
                Self::Tcp(stream) => {
                    ready!(stream.poll_write_ready(cx))?;
                    stream.try_io(Interest::WRITABLE, || call(stream.as_fd()))
                }
                Self::Unix(stream) => {
                    ready!(stream.poll_write_ready(cx))?;
                    stream.try_io(Interest::WRITABLE, || call(stream.as_fd()))
                }
                Self::Http2(_) | Self::Tls(_) => Err(io::ErrorKind::InvalidInput.into()),
            };
            if let Some(sent) = unless_it_would_block(sent) {
                return Poll::Ready(sent);
            }
        }
    }

    /// Ready when the peer has taken a connection that is being opened, or has not.
    pub(crate) fn poll_connected(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let error = match self {
            Self::Tcp(stream) => {
                ready!(stream.poll_write_ready(cx))?;
                if self.has_failed() { stream.take_error()? } else { None }
            }
            Self::Unix(stream) => {
                ready!(stream.poll_write_ready(cx))?;
                if self.has_failed() { stream.take_error()? } else { None }
            }
            Self::Http2(_) | Self::Tls(_) => None,
        };
        Poll::Ready(error.map_or(Ok(()), Err))
    }

    /// What is written from now on goes at once, however short it is: to be said where a message is
    /// more than one write.
    pub(crate) fn hurry(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_nodelay(true),
            // Said before they were made.
            Self::Unix(_) | Self::Http2(_) | Self::Tls(_) => Ok(()),
        }
    }

    /// Writes what fits, whether or not the runtime has heard yet that something does: at the
    /// beginning of a request it does.
    pub(crate) fn write_now(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let socket = match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
            Self::Http2(_) | Self::Tls(_) => return Err(io::ErrorKind::WouldBlock.into()),
        };
        match slices {
            // The shorter way in the kernel.
            [piece] => Ok(send(socket, piece, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)?),
            _ => Ok(rustix::io::writev(socket, slices)?),
        }
    }

    /// Whether answers with heads of so many bytes come over it: by HTTP/2, or by another version.
    pub(crate) fn takes(&self, http2: bool, head: usize) -> bool {
        match self {
            Self::Http2(session) => http2 && session.takes(head),
            _ => !http2,
        }
    }

    /// The handshake that it was made by; `None` where it is not encrypted.
    pub fn made_for(&self) -> Option<&Secured> {
        match self {
            Self::Tcp(_) | Self::Unix(_) => None,
            Self::Http2(session) => session.made_for(),
            Self::Tls(tls) => Some(tls.made_for()),
        }
    }
}

/// What a call has come to, unless it is to be made again.
fn unless_it_would_block(made: io::Result<usize>) -> Option<io::Result<usize>> {
    match made {
        Err(error)
            if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) =>
        {
            None
        }
        made => Some(made),
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Http2(_) => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
            Self::Tls(tls) => {
                // What was encrypted and did not fit goes when there is room, whoever waits.
                if let Poll::Ready(Err(error)) = Pin::new(&mut tls.stream).poll_flush(cx) {
                    return Poll::Ready(Err(error));
                }
                match Pin::new(&mut tls.stream).poll_read(cx, buf) {
                    // Many close without a word; HTTP knows itself where its messages end.
                    Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                        Poll::Ready(Ok(()))
                    }
                    read => read,
                }
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Http2(_) => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
            Self::Tls(tls) => Pin::new(&mut tls.stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Http2(_) => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
            Self::Tls(tls) => Pin::new(&mut tls.stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(_) | Self::Unix(_) | Self::Http2(_) => Poll::Ready(Ok(())),
            Self::Tls(tls) => Pin::new(&mut tls.stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Http2(_) => Poll::Ready(Ok(())),
            Self::Tls(tls) => Pin::new(&mut tls.stream).poll_shutdown(cx),
        }
    }
}
