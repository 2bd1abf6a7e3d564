//! Waits for more of a body, for as long as the client does.

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use bytes::Bytes;
use tidegate_config::http::error_log::Level;
use tidegate_http::body::{BodyStream, Told};
use tidegate_http::exchange::Exchange;

/// The next piece of a body; `None` is its end. Where the client leaves meanwhile and nobody else
/// wants it, an error that has been told (nginx: `ngx_http_upstream_rd_check_broken_connection`).
pub(super) async fn next(
    stream: &mut BodyStream,
    ex: &mut Exchange<'_>,
) -> Option<io::Result<Bytes>> {
    let watched = ex.sent.answer.as_ref().is_some_and(|answer| answer.ends_with_client);
    poll_fn(|cx| {
        if let Poll::Ready(piece) = ex.poll_body(stream, cx) {
            return Poll::Ready(piece);
        }
        if !watched || ex.body.poll_closed(cx).is_pending() {
            return Poll::Pending;
        }
        let message = "client prematurely closed connection, so upstream connection is closed too \
                       while reading upstream";
        ex.log(Level::Info, message);
        Poll::Ready(Some(Err(io::Error::other(Told))))
    })
    .await
}
