//! A timer for a peer that may be silent for so long and no longer.

use std::task::{Context, Poll};
use std::time::Duration;

use tidegate_http::timer::Timer;
use tokio::time::Instant;

/// Measures silence. It runs only while we wait: what comes at once costs no timer, and while a
/// slow client keeps us busy the peer is not blamed.
#[derive(Debug, Default)]
pub(crate) struct Silence {
    deadline: Option<Instant>,
    timer: Timer,
}

impl Silence {
    /// Something was heard, or we are about to do something else.
    pub(crate) fn broken(&mut self) {
        self.deadline = None;
    }

    /// Ready when the silence has lasted for `limit`; where it begins now, `now` tells the time.
    pub(crate) fn poll_over(
        &mut self,
        cx: &mut Context<'_>,
        limit: Duration,
        now: impl FnOnce() -> Instant,
    ) -> Poll<()> {
        let deadline = *self.deadline.get_or_insert_with(|| now() + limit);
        self.timer.poll_over(cx, deadline)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_unbroken_silence_counts() {
        let mut silence = Silence::default();
        let limit = Duration::from_secs(5);
        let start = Instant::now();
        for _ in 0..3 {
            let short = poll_fn(|cx| silence.poll_over(cx, limit, Instant::now));
            assert!(tokio::time::timeout(Duration::from_secs(4), short).await.is_err());
            silence.broken();
        }
        poll_fn(|cx| silence.poll_over(cx, limit, Instant::now)).await;
        assert_eq!(start.elapsed().as_secs(), 17);
        silence.broken();
        poll_fn(|cx| silence.poll_over(cx, Duration::from_secs(1), Instant::now)).await;
        assert_eq!(start.elapsed().as_secs(), 18);
    }
}
