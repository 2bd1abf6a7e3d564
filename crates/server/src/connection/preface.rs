//! Which protocol a client begins with, where both are spoken on one port.

use std::time::{Duration, Instant};

use tidegate_http::client::Connection;
use tidegate_http::head::Version;

use super::http2::guard::PREFACE;
use super::io::Io;
use crate::runtime::Worker;

/// The protocol that the client speaks, told by its first bytes, which stay in the buffer (nginx:
/// `ngx_http_wait_request_handler`). `None` where it leaves, or says nothing in time.
pub(super) async fn spoken(worker: &Worker, connection: &Connection, io: &Io) -> Option<Version> {
    if let Some(tls) = &connection.tls {
        // The handshake has settled it.
        let http2 = tls.alpn.as_deref() == Some(b"h2");
        return Some(if http2 { Version::Http2 } else { Version::Http11 });
    }
    let Some(patience) = choice(worker, connection) else { return Some(Version::Http11) };
    let start = Instant::now();
    loop {
        {
            let buffer = io.buffer.borrow();
            let length = buffer.len().min(PREFACE.len());
            if buffer.get(..length) != PREFACE.get(..length) {
                return Some(Version::Http11);
            }
            if length == PREFACE.len() {
                return Some(Version::Http2);
            }
        }
        let left = patience.saturating_sub(start.elapsed());
        tokio::select! {
            filled = io.fill(left) => match filled {
                Ok(1..) => {}
                // Who left within it is told of as one of HTTP/1.
                Ok(0) if !io.buffer.borrow().is_empty() => return Some(Version::Http11),
                _ => return None,
            },
            () = worker.dismissal(), if io.buffer.borrow().is_empty() => return None,
        }
    }
}

/// How long to wait for the first bytes; `None` where only HTTP/1 is spoken.
fn choice(worker: &Worker, connection: &Connection) -> Option<Duration> {
    let generation = worker.generation();
    let socket = generation.socket(connection)?;
    let server = generation.http.servers.get(connection.default_server(socket))?;
    let both = socket.options.http2 || server.settings.http2.enabled;
    both.then_some(server.settings.client_header.timeout)
}
