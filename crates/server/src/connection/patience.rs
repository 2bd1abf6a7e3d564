//! How long a client is waited for: one timer for a connection, set anew only when it must be.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tidegate_http::timer::Timer;
use tokio::time::Instant;

/// The timer of a connection, for all that is waited for on it.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    timer: RefCell<Timer>,
}

/// A time that is not reached.
const NEVER: Duration = Duration::from_hours(24 * 365 * 30);

impl Patience {
    /// Waits for a future, so long and no longer; `None` where it did not come. One that is ready
    /// costs no look at the clock. All that waits by one timer is in one task.
    pub(crate) async fn within<F: Future>(
        &self,
        patience: Duration,
        future: F,
    ) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut deadline = None;
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + patience.min(NEVER));
            self.timer.borrow_mut().poll_over(cx, deadline).map(|()| None)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_wait_has_its_own_time() {
        let patience = Patience::default();
        let start = Instant::now();
        let nothing = |seconds| patience.within(Duration::from_secs(seconds), pending::<()>());
        assert_eq!(patience.within(Duration::ZERO, ready(1)).await, Some(1));
        assert_eq!(nothing(5).await, None);
        assert_eq!(start.elapsed().as_secs(), 5);
        let soon = tokio::time::sleep(Duration::from_secs(3));
        assert!(patience.within(Duration::from_mins(1), soon).await.is_some());
        // An earlier end than that of the wait before, then a later one.
        assert_eq!(nothing(1).await, None);
        assert_eq!(start.elapsed().as_secs(), 9);
        let both = async { tokio::join!(nothing(2), nothing(4)) };
        assert_eq!(both.await, (None, None));
        assert_eq!(start.elapsed().as_secs(), 13);
        assert_eq!(patience.within(Duration::MAX, ready(())).await, Some(()));
        let ever = patience.within(Duration::MAX, pending::<()>());
        assert!(tokio::time::timeout(Duration::from_mins(10), ever).await.is_err());
    }
}
