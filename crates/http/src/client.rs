//! The client's side of a request: who it is, and the body it sends.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use thiserror::Error;
use tidegate_config::block::http::Socket;
use tidegate_config::http::error_log::Level;

use crate::headers::Headers;
use crate::tls::session::Session;

use crate::proxy_protocol::ProxyProtocol;

/// A connection from a client.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its number, counted from the start of the process (`$connection`).
    pub number: u64,
    /// The client's address.
    pub peer: Endpoint,
    /// The address the client connected to.
    pub local: Endpoint,
    /// When it was taken.
    pub started: Instant,
    /// What the handshake has come to, where it is encrypted.
    pub tls: Option<Arc<Session>>,
    /// Whether it came to a port of TLS: where it is not encrypted, it is refused with 497.
    pub to_tls: bool,
    /// What a balancer has said of it (PROXY protocol).
    pub proxy_protocol: Option<Box<ProxyProtocol>>,
    /// Whether everything is told of it (`debug_connection`).
    pub debug: bool,
    /// The socket, to be asked about; none where no connection is at hand.
    pub transport: Option<Rc<dyn Transport>>,
}

/// A client's socket, as far as it can be asked about.
pub trait Transport: fmt::Debug {
    /// What the kernel has measured; `None` where it is not TCP.
    fn tcp_info(&self) -> Option<TcpInfo>;
}

/// What the kernel has measured of a connection (`$tcpinfo_…`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpInfo {
    /// The time there and back, in microseconds.
    pub rtt: u32,
    /// How much that varies, in microseconds.
    pub rttvar: u32,
    /// How much may be on its way to the client, in segments.
    pub snd_cwnd: u32,
    /// How much the client may have on its way, in bytes.
    pub rcv_space: u32,
}

impl Connection {
    /// A plain connection, taken now, of which nothing else is known.
    pub fn new(number: u64, peer: Endpoint, local: Endpoint) -> Self {
        Self {
            number,
            peer,
            local,
            started: Instant::now(),
            tls: None,
            to_tls: false,
            proxy_protocol: None,
            debug: false,
            transport: None,
        }
    }

    /// Whether it is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// What the kernel has measured; `None` where it is not TCP.
    pub(crate) fn tcp_info(&self) -> Option<TcpInfo> {
        self.transport.as_ref()?.tcp_info()
    }

    /// The server that holds before a request has named one: that of the name in the handshake, else
    /// the socket's.
    pub fn default_server(&self, socket: &Socket) -> usize {
        let asked = self.tls.as_ref().and_then(|tls| tls.server_name.as_deref());
        let found = asked.and_then(|name| socket.names.find(name.as_bytes()));
        found.map_or(socket.default, |found| found.server)
    }
}

/// One end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// An address and a port.
    Ip(SocketAddr),
    /// A unix socket and, where it has one, its path.
    Unix(Option<PathBuf>),
}

/// The body of a request, as it comes in.
///
/// Chunked coding is taken off. An implementation answers `Expect: 100-continue` when it is first
/// asked, keeps `client_body_timeout`, and holds no more than one buffer.
pub trait RequestBody {
    /// The next bytes; `None` is the end.
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ClientError>>>;

    /// Ready when the client has left. Bytes that it sends meanwhile are kept.
    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// The length, where it was told or all is here; `None` for a chunked body.
    fn length(&self) -> Option<u64>;

    /// Whether the end has been reached.
    fn is_done(&self) -> bool;

    /// The fields behind it, once its end has been reached; only HTTP/2 hands them on.
    fn trailers(&self) -> Option<&Headers> {
        None
    }

    /// Sends an interim answer of status 103 with these fields, if the answer has not begun. A client
    /// that does not take it at once may go without it.
    fn hint(&mut self, _fields: &Headers) {}

    /// Where it is, once all of it was read and kept (`$request_body`, `$request_body_file`).
    fn kept(&self) -> Kept {
        Kept::Nowhere
    }

    /// Sets how long the client may be silent (`client_body_timeout`), and how many bytes are taken
    /// (`client_max_body_size`; `None` is without bound).
    fn set_limits(&mut self, patience: Duration, most: Option<u64>);
}

/// Where the body of a request is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It has not been read, or is not kept.
    Nowhere,
    /// In memory.
    Memory(Bytes),
    /// In a file; without `client_body_in_file_only` it has no name any more.
    File(PathBuf),
}

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ClientError {
    /// The connection ended within it: 400 is logged.
    #[error("client prematurely closed connection")]
    Closed,
    /// The client was silent for `client_body_timeout`: 408 is logged.
    #[error("client timed out")]
    TimedOut,
    /// The chunked coding is broken: 400.
    #[error("client sent invalid chunked body")]
    Invalid,
    /// It is longer than `client_max_body_size`: 413.
    #[error("client intended to send too large chunked body")]
    TooLarge,
}

impl ClientError {
    /// How much it matters to the log: what is refused more than who has gone.
    pub fn level(self) -> Level {
        match self {
            Self::Closed | Self::TimedOut => Level::Info,
            Self::Invalid | Self::TooLarge => Level::Error,
        }
    }

    /// The status it is answered with, or logged.
    pub fn status(self) -> u16 {
        match self {
            Self::Closed | Self::Invalid => 400,
            Self::TimedOut => 408,
            Self::TooLarge => 413,
        }
    }
}

/// The body of a request whose client has its answer already: whether it leaves matters to nobody.
pub struct Answered(pub Box<dyn RequestBody>);

impl RequestBody for Answered {
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ClientError>>> {
        self.0.poll_data(cx)
    }

    fn poll_closed(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn length(&self) -> Option<u64> {
        self.0.length()
    }

    fn is_done(&self) -> bool {
        self.0.is_done()
    }

    fn trailers(&self) -> Option<&Headers> {
        self.0.trailers()
    }

    fn kept(&self) -> Kept {
        self.0.kept()
    }

    fn set_limits(&mut self, patience: Duration, most: Option<u64>) {
        self.0.set_limits(patience, most);
    }
}

/// The body of a request without one.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBody;

impl RequestBody for NoBody {
    fn poll_data(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, ClientError>>> {
        Poll::Ready(None)
    }

    fn poll_closed(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn length(&self) -> Option<u64> {
        Some(0)
    }

    fn is_done(&self) -> bool {
        true
    }

    fn set_limits(&mut self, _: Duration, _: Option<u64>) {}
}
