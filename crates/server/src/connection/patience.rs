//! How long a client is waited for: one timer for a connection, set anew only when it must be.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that stays where it is when what it was set for has come in time. Most of what is waited
/// for comes long before, and the next wait ends later than the one before: so the timer's place
/// among all others is changed once in such a time, not twice in every request.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    sleep: RefCell<Option<Pin<Box<Sleep>>>>,
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
            self.poll_over(cx, deadline).map(|()| None)
        })
        .await
    }

    /// Ready at the deadline.
    fn poll_over(&self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let mut sleep = self.sleep.borrow_mut();
        let sleep = sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        // It may have been set for an earlier wait; then it is set again.
        while sleep.as_mut().poll(cx).is_ready() {
            if sleep.deadline() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
        Poll::Pending
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
