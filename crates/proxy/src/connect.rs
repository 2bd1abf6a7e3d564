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

use tidegate_config::http::error_log::Level;
use tidegate_config::http::forward::{Forward, local};
use tidegate_config::value::size::Size;
use tidegate_http::exchange::Exchange;
use tokio::net::{TcpSocket, TcpStream, UnixStream};
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

impl Address {
    /// As in `$upstream_addr`. It is written down for every request, most of which go to an IPv4
    /// address, for which the general way takes long.
    pub(crate) fn text(&self) -> String {
        let Self::Tcp(SocketAddr::V4(address)) = self else { return self.to_string() };
        let mut text = String::with_capacity("255.255.255.255:65535".len());
        let mut number = itoa::Buffer::new();
        for (octet, end) in address.ip().octets().into_iter().zip(['.', '.', '.', ':']) {
            text.push_str(number.format(octet));
            text.push(end);
        }
        text.push_str(number.format(address.port()));
        text
    }
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

/// How connections are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// Whether the kernel notices a peer that vanishes (nginx: `proxy_socket_keepalive`).
    pub probe: bool,
    /// The address they are made from (nginx: `proxy_bind`).
    pub from: Option<SocketAddr>,
    /// The size of the socket's buffer for reading, in bytes (nginx: `proxy_socket_rcvbuf`).
    pub receive: Option<u32>,
    /// The size of the socket's buffer for writing, in bytes (nginx: `proxy_socket_sndbuf`).
    pub send: Option<u32>,
}

impl Manner {
    /// What the directives of a protocol say of this request. A text of variables that is no
    /// address is told; the system chooses one then.
    pub(crate) fn of(ex: &mut Exchange<'_>, forward: &Forward) -> Self {
        let bytes = |size: Option<Size>| size.map(|size| u32::try_from(size.0).unwrap_or(u32::MAX));
        let mut manner = Self {
            probe: forward.socket_keepalive,
            from: None,
            receive: bytes(forward.socket_rcvbuf),
            send: bytes(forward.socket_sndbuf),
        };
        if let Some(address) = &forward.bind {
            let text = ex.render(address);
            let text = String::from_utf8_lossy(&text);
            manner.from = local(&text);
            if manner.from.is_none() && !text.is_empty() {
                ex.log(Level::Error, &format!("invalid local address \"{text}\""));
            }
        }
        manner
    }

    /// A socket where more is to be said than where it leads.
    fn socket(&self, to: &SocketAddr) -> Result<Option<TcpSocket>, Fault> {
        if self.from.is_none() && self.receive.is_none() && self.send.is_none() {
            return Ok(None);
        }
        let fault = |call, error| Fault::System { call, error, action: Action::Connecting };
        let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let socket = socket.map_err(|error| fault("socket", error))?;
        // Sizes are wishes: the system bounds them.
        if let Some(size) = self.receive {
            let _ = socket.set_recv_buffer_size(size);
        }
        if let Some(size) = self.send {
            let _ = socket.set_send_buffer_size(size);
        }
        if let Some(from) = self.from {
            socket.bind(from).map_err(|error| fault("bind", error))?;
        }
        Ok(Some(socket))
    }
}

/// Connects to a peer, in no more than `timeout` (nginx: `proxy_connect_timeout`).
pub async fn connect(
    address: &Address,
    timeout: Duration,
    manner: Manner,
) -> Result<Stream, Fault> {
    Within { inner: Dial { manner }, timeout }.oneshot(address.clone()).await
}

type Pending = Pin<Box<dyn Future<Output = Result<Stream, Fault>>>>;

/// Opens connections.
#[derive(Clone, Copy, Debug)]
pub struct Dial {
    manner: Manner,
}

impl Service<Address> for Dial {
    type Response = Stream;
    type Error = Fault;
    type Future = Pending;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, address: Address) -> Pending {
        let manner = self.manner;
        Box::pin(async move {
            let socket = match &address {
                Address::Tcp(address) => manner.socket(address)?,
                Address::Unix(_) => None,
            };
            let stream = dial(&address, socket, manner).await;
            stream.map_err(|error| Fault::Connect { to: address, error })
        })
    }
}

async fn dial(address: &Address, socket: Option<TcpSocket>, manner: Manner) -> io::Result<Stream> {
    match address {
        Address::Tcp(address) => {
            let stream = match socket {
                Some(socket) => socket.connect(*address).await?,
                None => TcpStream::connect(address).await?,
            };
            stream.set_nodelay(true)?;
            if manner.probe {
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
        assert!(connect(&address, Duration::from_secs(5), Manner::default()).await.is_ok());
        drop(listener);
        let refused =
            connect(&address, Duration::from_secs(5), Manner::default()).await.unwrap_err();
        assert!(refused.to_string().starts_with("connect() failed (111: Connection refused)"));
        let path = Address::Unix(Path::new("/nonexistent/app.sock").into());
        let missing = connect(&path, Duration::from_secs(5), Manner::default()).await.unwrap_err();
        assert!(missing.to_string().contains("(2: No such file or directory)"), "{missing}");
        assert_eq!(path.to_string(), "unix:/nonexistent/app.sock");
        assert_eq!((path.text(), address.text()), (path.to_string(), address.to_string()));
    }

    #[tokio::test]
    async fn a_socket_is_made_as_told() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::Tcp(listener.local_addr().unwrap());
        let from = local("127.0.0.7");
        let manner = Manner { probe: true, from, receive: Some(9000), send: Some(10_000) };
        let stream = connect(&address, Duration::from_secs(5), manner).await.unwrap();
        let Stream::Tcp(stream) = stream else { panic!("not over TCP") };
        assert_eq!(stream.local_addr().unwrap().ip(), from.unwrap().ip());
        // The kernel takes twice as much, for its own needs.
        assert_eq!(rustix::net::sockopt::socket_recv_buffer_size(&stream).unwrap(), 18_000);
        assert_eq!(rustix::net::sockopt::socket_send_buffer_size(&stream).unwrap(), 20_000);
        assert!(rustix::net::sockopt::socket_keepalive(&stream).unwrap());
        let not_ours = Manner { from: local("192.0.2.1"), ..Manner::default() };
        let fault = connect(&address, Duration::from_secs(5), not_ours).await.unwrap_err();
        assert!(fault.to_string().starts_with("bind() failed (99: "), "{fault}");
        assert_eq!(fault.status(), 500);
    }

    #[tokio::test]
    async fn a_full_backlog_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.sock");
        let _socket = socket_with_backlog_of_none(&path);
        let address = Address::Unix(path.into());
        let _first = connect(&address, Duration::from_secs(5), Manner::default()).await.unwrap();
        let full = connect(&address, Duration::from_secs(5), Manner::default()).await.unwrap_err();
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
