//! The bounds of an exchange with a peer.

use std::time::Duration;

use tidegate_config::http::forward::Forward;

/// So much of an answer is on its way to the client where nothing is said, in bytes; never more.
const BUSY: u64 = 64 * 1024;

/// What the configuration says of an exchange with a peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How long the peer may take nothing (nginx: `proxy_send_timeout`).
    pub(crate) send: Duration,
    /// How long the peer may say nothing (nginx: `proxy_read_timeout`).
    pub(crate) read: Duration,
    /// How long the head may be, in bytes (nginx: `proxy_buffer_size`).
    pub(crate) head: usize,
    /// How much of the body is read at a time, in bytes.
    pub(crate) piece: usize,
}

impl Limits {
    /// What the directives of a protocol say.
    pub(crate) fn of(forward: &Forward) -> Self {
        let buffers = &forward.buffers;
        let all = (buffers.number as usize).saturating_mul(buffers.size.0 as usize);
        let head = forward.buffer_size.0 as usize;
        Self {
            send: forward.send_timeout,
            read: forward.read_timeout,
            head,
            piece: if forward.buffering {
                all.clamp(4096, Self::busy(forward) as usize)
            } else {
                head
            },
        }
    }

    /// How much of an answer is on its way to the client at a time, in bytes.
    pub(crate) fn busy(forward: &Forward) -> u64 {
        forward.busy_buffers_size.map_or(BUSY, |size| size.0.clamp(4096, BUSY))
    }
}
