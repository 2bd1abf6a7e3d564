//! A connection that waits to be asked.

use std::future::poll_fn;
use std::io;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::connection::io::Io;
use crate::runtime::{Over, Seat, Worker};

/// Waits for the next bytes, and reads them. `None` where the connection has waited for too long, has to
/// make room, or where the worker ends and it has been idle for long enough (`keepalive_min_timeout`).
pub(super) async fn next_bytes(
    worker: &Worker,
    (socket, seat): (&Io, &Seat<'_>),
    patience: Duration,
    least: Duration,
) -> Option<io::Result<usize>> {
    let since = (!least.is_zero()).then(Instant::now);
    seat.rest(patience);
    // Who is woken has most likely been sent something.
    let mut woken = false;
    let waiting = poll_fn(|cx| {
        let now = if woken { socket.fill_now() } else { None };
        woken = true;
        // Who has asked already is not sent away.
        match now.map_or_else(|| socket.poll_fill(cx), Poll::Ready) {
            Poll::Ready(filled) => Poll::Ready(Ok(filled)),
            Poll::Pending => {
                socket.shrink();
                seat.poll(cx).map(Err)
            }
        }
    });
    let filled = waiting.await;
    seat.rise();
    match (filled, since) {
        (Ok(filled), _) => Some(filled),
        (Err(Over::Dismissed), Some(since)) if worker.is_draining() => {
            let left = least.min(patience).saturating_sub(since.elapsed());
            Box::pin(timeout(left, poll_fn(|cx| socket.poll_fill(cx)))).await.ok()
        }
        (Err(_), _) => None,
    }
}
