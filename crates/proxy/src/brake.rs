//! `proxy_limit_rate`: an answer is read no faster than so many bytes a second.

use std::num::NonZeroU64;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Holds a reader back. Each second allows for so many bytes, the first one at once (nginx:
/// `ngx_event_pipe_read_upstream`).
#[derive(Debug)]
pub(crate) struct Brake {
    rate: NonZeroU64,
    begun: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Brake {
    /// One for an answer that begins now.
    pub(crate) fn new(rate: NonZeroU64) -> Self {
        Self { rate, begun: Instant::now(), sleep: None }
    }

    /// Ready when more may be read, `read` bytes having been.
    pub(crate) fn poll_free(&mut self, read: u64, cx: &mut Context<'_>) -> Poll<()> {
        let wait = read / self.rate.get();
        let until = self.begun + Duration::from_secs(wait);
        if wait == 0 || Instant::now() >= until {
            self.sleep = None;
            return Poll::Ready(());
        }
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if sleep.deadline() != until {
            sleep.as_mut().reset(until);
        }
        sleep.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_second_allows_for_as_much() {
        let mut brake = Brake::new(NonZeroU64::new(1000).unwrap());
        let begun = Instant::now();
        for (read, seconds) in [(0, 0), (999, 0), (1000, 1), (1500, 1), (3999, 3)] {
            poll_fn(|cx| brake.poll_free(read, cx)).await;
            assert_eq!(begun.elapsed().as_secs(), seconds, "{read}");
        }
    }
}
