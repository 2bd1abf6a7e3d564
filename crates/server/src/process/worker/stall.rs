//! A worker that stands still is told of, with what it did: all of its connections waited.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};
use tidegate_config::http::error_log::Level;
use tidegate_http::log::turn;

use crate::runtime::Worker;

/// How often a worker looks whether it has stood still.
const LOOK: Duration = Duration::from_millis(500);

/// How long it may.
const STALL: Duration = Duration::from_millis(500);

/// What told of a stall within this time tells of the same one.
const SAME: Duration = Duration::from_millis(50);

/// Waits for a future, and tells of what it does where one step of it takes too long.
pub(crate) async fn watch<F: Future>(
    worker: &Worker,
    what: impl Fn() -> String,
    mut future: Pin<&mut F>,
) -> F::Output {
    std::future::poll_fn(|cx| {
        let before = look_up();
        let polled = future.as_mut().poll(cx);
        let after = look_up();
        let took = after.saturating_sub(before);
        // What stands around this one has been just as slow.
        if took > STALL && after.saturating_sub(worker.stalled.get()) > SAME {
            worker.stalled.set(after);
            tell(worker, took, &format!(", {}", what()));
        }
        polled
    })
    .await
}

thread_local! {
    /// What the clock of the thread has shown last.
    static LATEST: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// What the clock has shown when the step began that is being done, or since.
pub(crate) fn latest() -> Duration {
    let latest = LATEST.get();
    if latest.is_zero() { look_up() } else { latest }
}

fn look_up() -> Duration {
    let now = now();
    LATEST.set(now);
    now
}

/// Tells when the loop did not turn for a while, whatever was the reason.
pub(super) async fn look(worker: Rc<Worker>) {
    loop {
        let before = Instant::now();
        worker.post.beat();
        tokio::time::sleep(LOOK).await;
        // A loop that always has something to do does not say by itself that a turn has ended.
        turn::end();
        let late = before.elapsed().saturating_sub(LOOK);
        let told = worker.stalled.get();
        if late > STALL && now().saturating_sub(told) > late {
            tell(&worker, late, "");
        }
    }
}

fn tell(worker: &Worker, took: Duration, what: &str) {
    let open = worker.post.connections();
    let text =
        format!("a worker with {open} connections stood still for {} ms{what}", took.as_millis());
    worker.generation().logs.tell(Level::Warn, &text);
}

/// The time since the system's start, to a few milliseconds, which costs next to nothing.
///
/// By the C library: rustix looks for the kernel's page of fast calls by itself, where valgrind has put
/// it away, and ends the process.
pub(crate) fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC_COARSE).map_or(Duration::ZERO, Duration::from)
}
