//! Opening a connection to a peer: TCP or a unix socket, within a time.
//!
//! A peer on this machine has taken a connection over TCP before the call returns, and it is waited for
//! all the same, as nginx does. Requests that come together connect together, and then are sent
//! together, for an eighth less of the kernel's time: what is sent at once seems to wake the application
//! that is just being woken to take the connection.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::IpBindAddressNoPort;
use rustix::io::Errno;
use rustix::net::sockopt::{
    set_socket_keepalive, set_socket_recv_buffer_size, set_socket_send_buffer_size,
};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use socket2::SockRef;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::forward::{Forward, local};
use tidegate_config::value::size::Size;
use tidegate_http::exchange::{Exchange, Place};
use tokio::net::{TcpStream, UnixStream};

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
    /// As requests remember whom they have asked.
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Tcp(address) => Place::Ip(*address),
            Self::Unix(path) => Place::Unix(path.clone()),
        }
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
    /// Whether that may be another machine's (nginx: `proxy_bind … transparent`).
    pub transparent: bool,
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
            transparent: false,
            receive: bytes(forward.socket_rcvbuf),
            send: bytes(forward.socket_sndbuf),
        };
        if let Some(bind) = &forward.bind {
            let text = ex.render(&bind.address);
            let text = String::from_utf8_lossy(&text);
            (manner.from, manner.transparent) = (local(&text), bind.transparent);
            if manner.from.is_none() && !text.is_empty() {
                ex.log(Level::Error, &format!("invalid local address \"{text}\""));
            }
        }
        manner
    }

    /// A socket for a connection to this address.
    fn socket(&self, to: &SocketAddr) -> Result<OwnedFd, Fault> {
        let family = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let socket = socket(family)?;
        // Sizes are wishes: the system bounds them.
        if let Some(size) = self.receive {
            let _ = set_socket_recv_buffer_size(&socket, size as usize);
        }
        if let Some(size) = self.send {
            let _ = set_socket_send_buffer_size(&socket, size as usize);
        }
        if let Some(from) = self.from {
            self.bind(&socket, from)?;
        }
        if self.probe {
            set_socket_keepalive(&socket, true).map_err(|error| fault("setsockopt", error))?;
        }
        Ok(socket)
    }

    /// Has connections made from this address (nginx: `ngx_event_connect_peer`).
    fn bind(&self, socket: &OwnedFd, from: SocketAddr) -> Result<(), Fault> {
        let fault =
            |call, error: io::Error| Fault::System { call, error, action: Action::Connecting };
        if self.transparent {
            let socket = SockRef::from(socket);
            let (call, set) = match from {
                SocketAddr::V4(_) => {
                    ("setsockopt(IP_TRANSPARENT)", socket.set_ip_transparent_v4(true))
                }
                SocketAddr::V6(_) => {
                    ("setsockopt(IPV6_TRANSPARENT)", socket.set_ip_transparent_v6(true))
                }
            };
            set.map_err(|error| fault(call, error))?;
        }
        if from.port() == 0 {
            // A port is taken for this peer alone, so that they do not run out; older kernels cannot.
            let _ = setsockopt(socket, IpBindAddressNoPort, &true);
        }
        rustix::net::bind(socket, &from).map_err(|error| fault("bind", error.into()))
    }
}

fn socket(family: AddressFamily) -> Result<OwnedFd, Fault> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None);
    socket.map_err(|error| fault("socket", error))
}

fn fault(call: &'static str, error: Errno) -> Fault {
    Fault::System { call, error: error.into(), action: Action::Connecting }
}

/// A connection that is being opened.
pub(crate) enum Opening {
    /// It is open.
    Open(Stream),
    /// The peer has to say so.
    Pending(Stream),
}

/// Begins to connect to a peer.
pub(crate) fn open(address: &Address, manner: Manner) -> Result<Opening, Fault> {
    let socket = match address {
        Address::Tcp(to) => manner.socket(to)?,
        Address::Unix(_) => socket(AddressFamily::UNIX)?,
    };
    let fault = |error| Fault::Connect { to: address.clone(), error };
    begin(address, socket).map_err(fault)
}

fn begin(address: &Address, socket: OwnedFd) -> io::Result<Opening> {
    match address {
        Address::Tcp(to) => {
            let opening = match rustix::net::connect(&socket, to) {
                Ok(()) => Opening::Open,
                Err(Errno::INPROGRESS) => Opening::Pending,
                Err(error) => return Err(error.into()),
            };
            Ok(opening(Stream::Tcp(TcpStream::from_std(socket.into())?)))
        }
        Address::Unix(path) => {
            rustix::net::connect(&socket, &SocketAddrUnix::new(&**path)?)?;
            Ok(Opening::Open(Stream::Unix(UnixStream::from_std(socket.into())?)))
        }
    }
}

/// Waits until a connection is open, in no more than `timeout` (nginx: `proxy_connect_timeout`).
pub(crate) async fn opened(
    opening: Opening,
    address: &Address,
    timeout: Duration,
) -> Result<Stream, Fault> {
    let stream = match opening {
        Opening::Open(stream) => return Ok(stream),
        Opening::Pending(stream) => stream,
    };
    match tokio::time::timeout(timeout, poll_fn(|cx| stream.poll_connected(cx))).await {
        Ok(Ok(())) => Ok(stream),
        Ok(Err(error)) => Err(Fault::Connect { to: address.clone(), error }),
        Err(_) => Err(Fault::TimedOut(Action::Connecting)),
    }
}

/// Connects to a peer, in no more than `timeout` (nginx: `proxy_connect_timeout`).
pub async fn connect(
    address: &Address,
    timeout: Duration,
    manner: Manner,
) -> Result<Stream, Fault> {
    opened(open(address, manner)?, address, timeout).await
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
        assert_eq!(path.place().to_string(), path.to_string());
        assert_eq!(address.place().to_string(), address.to_string());
    }

    #[tokio::test]
    async fn a_socket_is_made_as_told() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::Tcp(listener.local_addr().unwrap());
        let from = local("127.0.0.7");
        let (receive, send) = (Some(9000), Some(10_000));
        let manner = Manner { probe: true, from, transparent: false, receive, send };
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
        let transparent = Manner { transparent: true, ..not_ours };
        let opened = open(&address, transparent);
        if rustix::process::geteuid().is_root() {
            let Opening::Pending(Stream::Tcp(stream)) = opened.unwrap() else { panic!("open") };
            assert_eq!(stream.local_addr().unwrap().ip().to_string(), "192.0.2.1");
        }
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
