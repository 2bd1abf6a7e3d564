//! What the configuration says about a connection of HTTP/2.

use std::sync::Arc;
use std::time::Duration;

use h2::server::Builder;
use tidegate_config::block::Server;
use tidegate_config::http::keepalive::Keepalive;
use tidegate_http::client::Connection;
use tidegate_http::head::Rules;

use crate::connection::http1::Farewell;
use crate::connection::request::rules;
use crate::runtime::Worker;

/// How much all bodies of a connection may be ahead of those who read them, in bytes.
const WINDOW: u32 = 1 << 20;

/// How many times `http2_body_preread_size` one body may be ahead.
const AHEAD: u32 = 4;

/// How much of an answer is kept for a client that does not take it, in bytes.
const SEND_BUFFER: usize = 128 << 10;

/// How many streams a client may make us give up by sending what may not be sent there
/// (CVE-2025-8671).
const OWN_RESETS: usize = 100;

/// How many streams may be given up before they are looked at (CVE-2023-44487).
const EARLY_RESETS: usize = 20;

/// What the configuration says about a connection.
pub(super) struct Manner {
    pub(super) rules: Rules,
    pub(super) head_patience: Duration,
    pub(super) send_patience: Duration,
    pub(super) keepalive: Arc<Keepalive>,
    pub(super) farewell: Farewell,
}

impl Manner {
    /// That of the server whose name the handshake said, as in nginx, else of the socket's.
    pub(super) fn of(worker: &Worker, connection: &Connection) -> Option<(Self, Builder)> {
        let generation = worker.generation();
        let socket = generation.socket(connection)?;
        let server = generation.http.servers.get(connection.default_server(socket))?;
        let rules = rules(server);
        let manner = Self {
            rules,
            head_patience: server.settings.client_header.timeout,
            send_patience: server.location.sendfile.timeout,
            keepalive: Arc::clone(&server.location.keepalive),
            farewell: Farewell::of_server(server),
        };
        Some((manner, builder(server, &rules)))
    }
}

fn builder(server: &Server, rules: &Rules) -> Builder {
    let http2 = &server.settings.http2;
    let ahead = u32::try_from(http2.body_preread_size.0).unwrap_or(u32::MAX >> 1);
    let list = rules.large_buffers.saturating_mul(rules.large_buffer_size) + 32 * rules.max_headers;
    let mut builder = Builder::new();
    builder
        .initial_window_size(ahead.saturating_mul(AHEAD).clamp(1, u32::MAX >> 1))
        .initial_connection_window_size(WINDOW.max(ahead.min(u32::MAX >> 1)))
        .max_concurrent_streams(http2.max_concurrent_streams)
        .max_header_list_size(u32::try_from(list).unwrap_or(u32::MAX))
        .max_send_buffer_size(SEND_BUFFER)
        .max_local_error_reset_streams(Some(OWN_RESETS))
        .max_pending_accept_reset_streams(EARLY_RESETS)
        .enable_connect_protocol();
    builder
}
