//! What was asked of upstreams for a request.

use std::cell::{OnceCell, RefCell};
use std::fmt;
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::address::put_socket;

/// The upstreams that were asked, in order; a request that asks none has no list.
#[derive(Debug, Default)]
pub struct Tries(OnceCell<Rc<RefCell<Vec<UpstreamTry>>>>);

impl Tries {
    /// The same list for another request.
    #[must_use]
    pub fn shared(&self) -> Self {
        Self(OnceCell::from(Rc::clone(self)))
    }
}

impl Deref for Tries {
    type Target = Rc<RefCell<Vec<UpstreamTry>>>;

    fn deref(&self) -> &Self::Target {
        // Most ask one.
        self.0.get_or_init(|| Rc::new(RefCell::new(Vec::with_capacity(1))))
    }
}

/// Where an upstream is; most requests ask for no text of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At an address and a port.
    Ip(SocketAddr),
    /// At the path of a socket.
    Unix(Arc<Path>),
    /// Nowhere: a group none of whose servers could be asked, by its name.
    Nowhere(String),
}

impl Default for Place {
    fn default() -> Self {
        Self::Nowhere(String::new())
    }
}

impl fmt::Display for Place {
    /// As in `$upstream_addr`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => {
                let mut text = Vec::with_capacity("255.255.255.255:65535".len());
                put_socket(*address, &mut text);
                f.write_str(&String::from_utf8_lossy(&text))
            }
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Nowhere(name) => f.write_str(name),
        }
    }
}

/// One try to get an answer from an upstream.
#[derive(Clone, Debug, Default)]
pub struct UpstreamTry {
    /// Its address (`$upstream_addr`).
    pub address: Place,
    /// Scheme and URI that it was asked for, for the error log; empty where nobody was.
    pub asked: (&'static str, Bytes),
    /// The status it answered with; 502 or 504 where it did not.
    pub status: u16,
    /// When it began.
    pub begun: Option<Instant>,
    /// When there was a connection.
    pub connected: Option<Instant>,
    /// When its head was there.
    pub answered: Option<Instant>,
    /// When it ended.
    pub ended: Option<Instant>,
    /// The bytes of its body.
    pub response_length: u64,
    /// The bytes received from it.
    pub bytes_received: u64,
    /// The bytes sent to it.
    pub bytes_sent: u64,
    /// Why it did not answer, in the words of the error log; empty where it did.
    pub error: String,
    /// Whether another group was asked next, by an internal redirect (`:` between the tries).
    pub redirected: bool,
}

impl UpstreamTry {
    /// The time to a connection.
    pub fn connect_time(&self) -> Option<Duration> {
        self.time_to(self.connected)
    }

    /// The time to its head.
    pub fn header_time(&self) -> Option<Duration> {
        self.time_to(self.answered)
    }

    /// The time to its end.
    pub fn response_time(&self) -> Option<Duration> {
        self.time_to(self.ended)
    }

    fn time_to(&self, moment: Option<Instant>) -> Option<Duration> {
        Some(moment?.saturating_duration_since(self.begun?))
    }

    /// What it was asked for, as a URL, for the error log.
    pub fn url(&self) -> Option<String> {
        let (scheme, uri) = &self.asked;
        // nginx puts a colon between the path of a socket and the URI.
        let colon = match &self.address {
            Place::Unix(_) => ":",
            Place::Nowhere(name) if name.starts_with("unix:") => ":",
            _ => "",
        };
        let uri = String::from_utf8_lossy(uri);
        (!scheme.is_empty()).then(|| format!("{scheme}://{}{colon}{uri}", self.address))
    }
}
