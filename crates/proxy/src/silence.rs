//! A timer for a peer that may be silent for so long and no longer.

use std::cell::RefCell;
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

/// The most timers that a thread keeps for connections to come.
const SPARES: usize = 64;

thread_local! {
    /// Timers of connections that have ended, which go on to run.
    static SPARE: RefCell<Vec<Timer>> = const { RefCell::new(Vec::new()) };
}

impl Silence {
    /// For a connection of this thread: where one has ended, with its timer, whose place among all
    /// others need not be changed then.
    pub(crate) fn spare() -> Self {
        let timer = SPARE.with_borrow_mut(|spare| {
            while let Some(timer) = spare.pop() {
                // The runtime of one that does not may have ended.
                if timer.runs() {
                    return timer;
                }
            }
            Timer::default()
        });
        Self { deadline: None, timer }
    }

    /// Leaves the timer to another connection of this thread.
    pub(crate) fn leave(self) {
        SPARE.with_borrow_mut(|spare| {
            if spare.len() < SPARES && self.timer.runs() {
                spare.push(self.timer);
            }
        });
    }

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
    async fn a_timer_that_was_left_measures_the_next_silence() {
        SPARE.with_borrow_mut(Vec::clear);
        let (short, long) = (Duration::from_secs(1), Duration::from_secs(3));
        let start = Instant::now();
        for limit in [long, short, long] {
            let mut silence = Silence::spare();
            let over = poll_fn(|cx| silence.poll_over(cx, limit, Instant::now));
            assert!(tokio::time::timeout(short / 2, over).await.is_err());
            silence.leave();
        }
        assert_eq!(SPARE.with_borrow(Vec::len), 1);
        let mut silence = Silence::spare();
        poll_fn(|cx| silence.poll_over(cx, long, Instant::now)).await;
        assert_eq!(start.elapsed(), 3 * short / 2 + long);
        // It has run out, and is of no use.
        silence.leave();
        assert_eq!(SPARE.with_borrow(Vec::len), 0);
    }

    #[test]
    fn the_timer_of_a_runtime_that_has_ended_is_not_used() {
        SPARE.with_borrow_mut(Vec::clear);
        let runtime = || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            builder.enable_time().build().unwrap()
        };
        runtime().block_on(async {
            let mut silence = Silence::spare();
            let over = poll_fn(|cx| silence.poll_over(cx, Duration::from_mins(1), Instant::now));
            assert!(tokio::time::timeout(Duration::ZERO, over).await.is_err());
            silence.leave();
        });
        assert_eq!(SPARE.with_borrow(Vec::len), 1);
        runtime().block_on(async {
            let mut silence = Silence::spare();
            poll_fn(|cx| silence.poll_over(cx, Duration::from_millis(1), Instant::now)).await;
        });
    }

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
