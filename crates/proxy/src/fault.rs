//! What went wrong with an upstream: who failed, doing what, in `proxy_next_upstream`'s words.

use std::fmt;
use std::io;

use thiserror::Error;
use tidegate_config::http::error_log::Level;
use tidegate_http::log::words::words;
use tidegate_http::shortage;

use crate::connect::Address;
use crate::protocol::Invalid;
use crate::secure::Unshaken;
use crate::upstream::resolve::Reason;

/// A failure of one try at one peer. Its text is the error log line nginx would write.
#[derive(Debug, Error)]
pub enum Fault {
    /// The system refused: the connection was reset, or never was one.
    #[error("{} failed ({}) while {action}", Call(call), System(error))]
    System {
        /// The call in nginx's words: `send`, `recv`.
        call: &'static str,
        /// What the system said.
        error: io::Error,
        /// What we were doing.
        action: Action,
    },
    /// No connection could be made.
    #[error("connect(){} failed ({}) while {}", To(to, error), System(error), Action::Connecting)]
    Connect {
        /// Where the peer is.
        to: Address,
        /// What the system said.
        error: io::Error,
    },
    /// The handshake came to nothing, or the certificate is not good.
    #[error("{0} while SSL handshaking to upstream")]
    Handshake(Unshaken),
    /// The peer closed the connection before its answer was complete.
    #[error("upstream prematurely closed connection while {0}")]
    Closed(Action),
    /// The peer wants no request, or no more of them over this connection (HTTP/2).
    #[error("{text} while {action}")]
    Declined {
        /// What it said, in nginx's words.
        text: String,
        /// Whether it has not looked at the request (RFC 9113, section 8.7).
        unseen: bool,
        /// What we were doing.
        action: Action,
    },
    /// The peer was silent for longer than a `*_timeout` allows.
    #[error("upstream timed out (110: Connection timed out) while {0}")]
    TimedOut(Action),
    /// The peer sent what is no answer.
    #[error("{reason} while {action}")]
    Invalid {
        /// What is wrong with it.
        reason: Invalid,
        /// What we were doing.
        action: Action,
    },
    /// The answer has a status that `*_next_upstream` passes over.
    #[error("upstream answered {0} while reading response header from upstream")]
    Status(u16),
    /// `*_allow_upstream` does not let this server be asked.
    #[error("access to upstream is denied while connecting to upstream")]
    Denied,
    /// Every server of the group is down or has failed too often.
    #[error("no live upstreams while connecting to upstream")]
    NoLive,
    /// The name of a server has no address at the moment.
    #[error("{host} could not be resolved ({reason}) while connecting to upstream")]
    Unresolved {
        /// The name as configured.
        host: String,
        /// What the resolver said.
        reason: Reason,
    },
}

/// What was being done when it went wrong (nginx: `log->action`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Opening the connection.
    Connecting,
    /// Shaking hands, over TLS.
    Handshaking,
    /// Writing the request.
    Sending,
    /// Waiting for the head of the answer, or reading it.
    ReadingHeader,
    /// Reading the body of the answer.
    Reading,
    /// Passing bytes between both sides after an upgrade.
    Tunnelling,
}

/// A class of faults that `*_next_upstream` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `error`: connecting, sending or reading failed.
    Error,
    /// `timeout`.
    Timeout,
    /// `invalid_header`: an empty or unreadable answer.
    InvalidHeader,
    /// `http_500` and its like.
    Http(u16),
    /// The configuration does not let this one be asked.
    Denied,
    /// No server was there to be asked; asking on is pointless.
    NoLive,
}

impl Fault {
    /// The word for it in `*_next_upstream`.
    pub fn condition(&self) -> Condition {
        match self {
            Self::System { error, .. } | Self::Connect { error, .. }
                if error.kind() == io::ErrorKind::TimedOut =>
            {
                Condition::Timeout
            }
            Self::System { .. }
            | Self::Connect { .. }
            | Self::Handshake(_)
            | Self::Closed(_)
            | Self::Declined { .. } => Condition::Error,
            Self::TimedOut(_) => Condition::Timeout,
            Self::Invalid { .. } => Condition::InvalidHeader,
            Self::Status(status) => Condition::Http(*status),
            Self::Denied => Condition::Denied,
            Self::NoLive | Self::Unresolved { .. } => Condition::NoLive,
        }
    }

    /// Whether the peer could not be reached, so that it has seen nothing of the request and may be
    /// back in a moment: refused, socket missing or full, no way to it, a name without an address.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Connect { error, .. } => matches!(
                error.kind(),
                io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::NotFound
                    | io::ErrorKind::WouldBlock
                    | io::ErrorKind::HostUnreachable
                    | io::ErrorKind::NetworkUnreachable
            ),
            Self::Unresolved { reason, .. } => matches!(reason, Reason::Said(_)),
            _ => false,
        }
    }

    /// Whether it is we who have nothing left to connect by, and no peer is to blame.
    pub fn is_shortage(&self) -> bool {
        match self {
            Self::System { error, .. } | Self::Connect { error, .. } => {
                shortage::is_shortage(error)
            }
            Self::Unresolved { reason, .. } => matches!(reason, Reason::Shortage(_)),
            _ => false,
        }
    }

    /// Whether the peer has seen nothing of a request that was sent, and says so.
    pub fn is_unseen(&self) -> bool {
        matches!(self, Self::Declined { unseen: true, .. })
    }

    /// Whether the peer is there and has no room: the backlog of its socket is full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Connect { error, .. } if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// How grave it is (nginx: `ngx_event_connect_peer`, which takes a socket that is not there for
    /// a fault of the configuration).
    pub fn level(&self) -> Level {
        match self {
            Self::Connect { error, .. }
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
                ) =>
            {
                Level::Crit
            }
            Self::System { call: "bind", .. } => Level::Crit,
            Self::System { call: "socket", .. } => Level::Alert,
            Self::Unresolved { .. } if self.is_shortage() => Level::Alert,
            Self::System { call, .. } if call.starts_with("setsockopt") => Level::Alert,
            _ => Level::Error,
        }
    }

    /// The status a client is given where nothing else can be tried.
    pub fn status(&self) -> u16 {
        if self.is_shortage() {
            return 503;
        }
        // It is we who cannot connect from there.
        if matches!(self, Self::System { action: Action::Connecting, .. }) {
            return 500;
        }
        match self.condition() {
            Condition::Timeout => 504,
            Condition::Http(status) => status,
            Condition::Denied => 403,
            Condition::Error | Condition::InvalidHeader | Condition::NoLive => 502,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connecting => "connecting to upstream",
            Self::Handshaking => "SSL handshaking to upstream",
            Self::Sending => "sending request to upstream",
            Self::ReadingHeader => "reading response header from upstream",
            Self::Reading => "reading upstream",
            Self::Tunnelling => "proxying upgraded connection",
        })
    }
}

/// Where a connection was to be made; said as nginx does, where the system refuses it at once.
struct To<'a>(&'a Address, &'a io::Error);

impl fmt::Display for To<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(address, error) = self;
        let is_late = !matches!(error.kind(), io::ErrorKind::NetworkUnreachable);
        match address {
            Address::Tcp(_) if is_late => Ok(()),
            address => write!(f, " to {address}"),
        }
    }
}

/// A call as nginx writes it: `recv()`, `setsockopt(IP_TRANSPARENT)`.
struct Call<'a>(&'a str);

impl fmt::Display for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)?;
        if self.0.ends_with(')') { Ok(()) } else { f.write_str("()") }
    }
}

/// A system error as nginx writes it: `111: Connection refused`.
pub(crate) struct System<'a>(pub(crate) &'a io::Error);

impl fmt::Display for System<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&words(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_the_error_log() {
        let error = io::Error::from_raw_os_error(111);
        let to = Address::Tcp(([127, 0, 0, 1], 1).into());
        let refused = Fault::Connect { to, error };
        assert_eq!(
            refused.to_string(),
            "connect() failed (111: Connection refused) while connecting to upstream"
        );
        assert_eq!(refused.condition(), Condition::Error);
        assert_eq!(
            Fault::Closed(Action::ReadingHeader).to_string(),
            "upstream prematurely closed connection while reading response header from upstream"
        );
    }

    #[test]
    fn a_silent_peer_is_a_504_and_a_broken_one_a_502() {
        assert_eq!(Fault::TimedOut(Action::Sending).status(), 504);
        assert_eq!(Fault::NoLive.status(), 502);
        assert_eq!(Fault::Status(503).status(), 503);
    }
}
