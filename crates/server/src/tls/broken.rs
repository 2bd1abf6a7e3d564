//! Why there is no handshake, and what the log is told of it.

use std::io::{self, ErrorKind};

use rustls::Error;
use tidegate_config::http::error_log::Level;
use tidegate_http::client::Connection;

use crate::runtime::Worker;

/// Why there is no handshake.
pub(super) enum Broken {
    /// The client closed without a word, as who only looks whether we are there does.
    Left,
    /// It had said nothing, and has to make room.
    Dismissed,
    /// The client closed.
    Closed,
    /// The client was too slow.
    TimedOut,
    /// The socket failed.
    Io(io::Error),
    /// What came is no TLS, or nothing that we take.
    Tls(Error),
    /// No server has a certificate for it (nginx: `ssl_reject_handshake`).
    Rejected,
    /// The certificate that variables name cannot be used.
    Unnamed(String),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Io(error),
        }
    }
}

/// One line: who it was, and what was wrong. It goes where the server tells that was asked for, or,
/// as long as none is known, the socket's, as in nginx.
pub(super) fn tell(
    worker: &Worker,
    connection: &Connection,
    server: Option<usize>,
    broken: &Broken,
) {
    let failed = |why: &str| format!("SSL_do_handshake() failed ({why})");
    let (level, text) = match broken {
        Broken::Dismissed => return,
        Broken::Left => (Level::Info, "client closed connection".to_owned()),
        Broken::Closed => (Level::Info, "peer closed connection in SSL handshake".to_owned()),
        Broken::TimedOut => {
            (Level::Info, "client timed out (110: Connection timed out)".to_owned())
        }
        Broken::Io(error) => (Level::Crit, failed(&error.to_string())),
        Broken::Tls(error) => (Level::Info, failed(&format!("SSL: {error}"))),
        Broken::Rejected => (Level::Info, failed("SSL: no server has a certificate for it")),
        Broken::Unnamed(why) => (Level::Error, why.clone()),
    };
    let generation = worker.generation();
    let Some(socket) = generation.socket(connection) else { return };
    let number = server.unwrap_or(socket.default);
    let Some(server) = generation.http.servers.get(number) else { return };
    let text = format!("{text} while SSL handshaking");
    generation.logs.tell_of(connection, (socket, server), level, &text);
}
