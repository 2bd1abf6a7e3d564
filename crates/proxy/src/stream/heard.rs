//! What the event loop has heard of a connection, and what the kernel is asked all the same.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::RecvFlags;
use rustix::net::sockopt::set_socket_linger;
use tokio::io::{Interest, Ready};

use super::Stream;

impl Stream {
    /// Whether the peer is silent and there, as an idle connection must be, as far as the runtime has
    /// heard: it has, when the request was read, of all that was there to be told of. Only what has
    /// been told of is asked about.
    pub fn is_quiet(&self) -> bool {
        let peek = |socket: BorrowedFd<'_>| {
            let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
            Ok(rustix::net::recv(socket, &mut [0], flags)?.0)
        };
        let peeked = match self {
            Self::Tcp(stream) => stream.try_io(Interest::READABLE, || peek(stream.as_fd())),
            Self::Unix(stream) => stream.try_io(Interest::READABLE, || peek(stream.as_fd())),
            Self::Http2(_) | Self::Tls(_) => return self.is_idle(),
        };
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Whether the peer is silent and there. Asks the kernel, not the runtime, which may not have
    /// heard yet that the peer has closed.
    pub fn is_idle(&self) -> bool {
        let mut byte = [0];
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        let peeked = match self {
            Self::Http2(session) => return session.is_idle(),
            Self::Tcp(stream) => rustix::net::recv(stream, &mut byte, flags),
            Self::Unix(stream) => rustix::net::recv(stream, &mut byte, flags),
            Self::Tls(tls) => return tls.stream.get_ref().0.is_idle(),
        };
        matches!(peeked, Err(Errno::AGAIN))
    }

    /// Lets go of a connection that carries nothing more, where its peer has closed it: neither
    /// side then remembers it for a minute (`TIME_WAIT`), as it would if it ended by `FIN`.
    ///
    /// For peers that do not wait for us to close; those would take it for a fault.
    pub(crate) fn forget(&self) {
        if let Self::Tcp(stream) = self
            && self.heard(Interest::READABLE).is_read_closed()
        {
            // Where it cannot be said, the connection ends as all do.
            let _ = set_socket_linger(stream, Some(Duration::ZERO));
        }
    }

    /// Whether a connection that was being opened has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.heard(Interest::WRITABLE).is_write_closed()
    }

    /// What has been told of it without waiting.
    fn heard(&self, interest: Interest) -> Ready {
        let mut cx = Context::from_waker(Waker::noop());
        let heard = match self {
            Self::Tcp(stream) => pin!(stream.ready(interest)).poll(&mut cx),
            Self::Unix(stream) => pin!(stream.ready(interest)).poll(&mut cx),
            Self::Http2(_) | Self::Tls(_) => Poll::Pending,
        };
        if let Poll::Ready(Ok(ready)) = heard { ready } else { Ready::EMPTY }
    }
}
