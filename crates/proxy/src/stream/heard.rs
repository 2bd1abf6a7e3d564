//! What the event loop has heard of a connection, for which the kernel need not be asked again.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use tokio::io::{Interest, Ready};

use super::Stream;

impl Stream {
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
