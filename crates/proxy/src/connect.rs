//! Opening a connection to a peer: TCP or a unix socket, within a time.
//!
//! A small tower stack: [`Dial`] opens, [`Within`] gives up; TLS will stand between them.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::{TcpStream, UnixStream};
use tower::{Service, ServiceExt};

use crate::fault::{Action, Fault};
use crate::stream::Stream;

/// Where a peer is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// An address and a port.
    Tcp(SocketAddr),
    /// The path of a socket.
    Unix(Arc<Path>),
}

impl fmt::Display for Address {
    /// As in `$upstream_addr`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Connects to a peer, in no more than `timeout` (nginx: `proxy_connect_timeout`); `probe` has the
/// kernel notice a peer that vanishes (nginx: `proxy_socket_keepalive`).
pub async fn connect(address: &Address, timeout: Duration, probe: bool) -> Result<Stream, Fault> {
    Within { inner: Dial { probe }, timeout }.oneshot(address.clone()).await
}

type Pending = Pin<Box<dyn Future<Output = Result<Stream, Fault>>>>;

/// Opens connections.
#[derive(Clone, Copy, Debug)]
pub struct Dial {
    probe: bool,
}

impl Service<Address> for Dial {
    type Response = Stream;
    type Error = Fault;
    type Future = Pending;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, address: Address) -> Pending {
        let probe = self.probe;
        Box::pin(async move {
            let stream = dial(&address, probe).await;
            stream.map_err(|error| Fault::Connect { to: address, error })
        })
    }
}

async fn dial(address: &Address, probe: bool) -> io::Result<Stream> {
    match address {
        Address::Tcp(address) => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            if probe {
                rustix::net::sockopt::set_socket_keepalive(&stream, true)?;
            }
            Ok(Stream::Tcp(stream))
        }
        Address::Unix(path) => UnixStream::connect(path).await.map(Stream::Unix),
    }
}

/// Gives an inner service so much time.
#[derive(Clone, Copy, Debug)]
pub struct Within<S> {
    inner: S,
    timeout: Duration,
}

impl<S> Service<Address> for Within<S>
where
    S: Service<Address, Response = Stream, Error = Fault, Future = Pending>,
{
    type Response = Stream;
    type Error = Fault;
    type Future = Pending;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, address: Address) -> Pending {
        let (pending, timeout) = (self.inner.call(address), self.timeout);
        Box::pin(async move {
            let done = tokio::time::timeout(timeout, pending).await;
            done.unwrap_or(Err(Fault::TimedOut(Action::Connecting)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refused_connection_and_a_missing_socket_are_told_apart() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::Tcp(listener.local_addr().unwrap());
        assert!(connect(&address, Duration::from_secs(5), true).await.is_ok());
        drop(listener);
        let refused = connect(&address, Duration::from_secs(5), true).await.unwrap_err();
        assert!(refused.to_string().starts_with("connect() failed (111: Connection refused)"));
        let path = Address::Unix(Path::new("/nonexistent/app.sock").into());
        let missing = connect(&path, Duration::from_secs(5), true).await.unwrap_err();
        assert!(missing.to_string().contains("(2: No such file or directory)"), "{missing}");
        assert_eq!(path.to_string(), "unix:/nonexistent/app.sock");
    }

    #[tokio::test]
    async fn a_full_backlog_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.sock");
        let _socket = socket_with_backlog_of_none(&path);
        let address = Address::Unix(path.into());
        let _first = connect(&address, Duration::from_secs(5), true).await.unwrap();
        let full = connect(&address, Duration::from_secs(5), true).await.unwrap_err();
        assert!(full.is_full() && full.is_unreachable(), "{full}");
    }

    fn socket_with_backlog_of_none(path: &Path) -> rustix::fd::OwnedFd {
        use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};
        let socket = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
        bind(&socket, &SocketAddrUnix::new(path).unwrap()).unwrap();
        listen(&socket, 0).unwrap();
        socket
    }
}
