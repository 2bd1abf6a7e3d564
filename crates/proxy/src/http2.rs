//! Connections to upstreams over HTTP/2, and who drives them.

use std::io;
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use h2::client::SendRequest;
use tokio::sync::oneshot;

use crate::fault::{Action, Fault};
use crate::protocol::Invalid;
use crate::secure::Secured;
use crate::stream::Stream;
use crate::upstream::keepalive;
use crate::upstream::pool::Home;

/// How much an upstream may send before it was taken on, in bytes, on a stream and in all.
const WINDOW: u32 = 256 * 1024;

/// The fields of an answer may always take so much together, in bytes.
const FIELDS: u32 = 64 * 1024;

/// The library counts 32 bytes for each field beside its text, where `*_buffer_size` counts 4: what
/// fits into the buffer is not refused before it is measured.
const LAVISH: u32 = 8;

/// How long a connection has to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// A connection over which requests can be sent, one at a time, as nginx does, by any worker.
pub struct Session {
    /// Where requests go.
    pub(crate) sender: SendRequest<Bytes>,
    /// The worker whose task drives it.
    home: Home,
    /// The handshake that it was made by; `None` where it is not encrypted.
    made_for: Option<Secured>,
    /// The most that the fields of an answer may take, in bytes, as the library counts them.
    fields: u32,
    /// Tells the driver that nobody needs it any more.
    _needed: oneshot::Sender<()>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session")
    }
}

impl Session {
    /// Says hello on a new connection. A task of this worker drives it from then on, and ends with
    /// the value, or with the connection; the worker waits for it. Heads of answers may have `head` bytes.
    pub(crate) async fn open(stream: Stream, head: usize) -> Result<Self, Fault> {
        let fields = fields(head);
        let made_for = stream.made_for().cloned();
        let handshake = h2::client::Builder::new()
            .enable_push(false)
            .initial_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_header_list_size(fields)
            .max_send_buffer_size(64 * 1024)
            .handshake(stream);
        let (sender, speaking) = handshake.await.map_err(|error| fault(error, Action::Sending))?;
        let (needed, not_needed) = oneshot::channel::<()>();
        let driven = keepalive::drive();
        let home = driven.home();
        tokio::task::spawn_local(async move {
            let _driven = driven;
            let unneeded = async {
                let _ = not_needed.await;
                tokio::time::sleep(GOODBYE).await;
            };
            tokio::select! {
                // Whoever waits for an answer is told what went wrong.
                _ = speaking => {}
                () = unneeded => {}
            }
        });
        Ok(Self { sender, home, made_for, fields, _needed: needed })
    }

    /// The worker whose task drives it.
    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// The handshake that it was made by; `None` where it is not encrypted.
    pub(crate) fn made_for(&self) -> Option<&Secured> {
        self.made_for.as_ref()
    }

    /// Whether the head of an answer may have so many bytes.
    pub(crate) fn takes(&self, head: usize) -> bool {
        fields(head) <= self.fields
    }

    /// Whether another request can be sent: the peer has not left, nor said that it will.
    pub(crate) fn is_idle(&self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let mut sender = self.sender.clone();
        matches!(sender.poll_ready(&mut cx), std::task::Poll::Ready(Ok(())))
    }
}

/// What the library is to allow, so that a head of so many bytes passes it.
fn fields(head: usize) -> u32 {
    u32::try_from(head).unwrap_or(u32::MAX).saturating_mul(LAVISH).max(FIELDS)
}

/// What the library says, in nginx's words.
pub(crate) fn fault(error: h2::Error, action: Action) -> Fault {
    let invalid = |text: String| Fault::Invalid { reason: Invalid::Http2(text), action };
    let number = error.reason().map_or(0, u32::from);
    if error.is_reset() && error.is_remote() {
        let text = format!("upstream rejected request with error {number}");
        if error.reason() == Some(Reason::REFUSED_STREAM) {
            return Fault::Declined { text, unseen: true, action };
        }
        return invalid(text);
    }
    if error.is_go_away() && error.is_remote() {
        let text = format!("upstream sent goaway with error {number}");
        // One that leaves in good order has most likely not begun with it; who knows.
        if error.reason() == Some(Reason::NO_ERROR) {
            return Fault::Declined { text, unseen: false, action };
        }
        return invalid(text);
    }
    if error.is_library() && error.reason() == Some(Reason::ENHANCE_YOUR_CALM) {
        return Fault::Invalid { reason: Invalid::TooBig, action };
    }
    if error.is_library() && error.is_reset() {
        return Fault::Invalid { reason: Invalid::Malformed(error.to_string()), action };
    }
    if !error.is_io() {
        return invalid(format!("upstream sent invalid HTTP/2 ({error})"));
    }
    match error.into_io() {
        Some(error) if error.raw_os_error().is_some() => {
            let call = if action == Action::Sending { "send" } else { "recv" };
            Fault::System { call, error, action }
        }
        Some(error) if error.kind() == io::ErrorKind::InvalidData => {
            invalid(format!("upstream sent invalid HTTP/2 ({error})"))
        }
        _ => Fault::Closed(action),
    }
}
