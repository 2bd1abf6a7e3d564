//! Lines that a log did not take: no request waits for it; they are counted, and told now and then.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long nothing is told of lost lines after it was told once.
const QUIET: Duration = Duration::from_mins(1);

/// The pause after telling has failed, for that goes to a log, too.
const AGAIN: Duration = Duration::from_secs(1);

/// The lines that one log has lost.
#[derive(Debug, Default)]
pub(super) struct Lost {
    count: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    why: String,
    /// When it may be told again.
    due: Option<Instant>,
}

impl Lost {
    /// Counts the lines of these bytes as lost; the last may lack its end.
    pub(super) fn add(&self, bytes: &[u8], why: impl Into<String>) {
        let ends = memchr::memchr_iter(b'\n', bytes).count() as u64;
        let rest = bytes.last().is_some_and(|last| *last != b'\n');
        self.add_lines(ends + u64::from(rest), why);
    }

    /// Counts lines as lost.
    pub(super) fn add_lines(&self, lines: u64, why: impl Into<String>) {
        self.lock().why = why.into();
        self.count.fetch_add(lines, Ordering::Relaxed);
    }

    /// How many have been lost, and why the last ones were, where it is time to tell. Whoever asks
    /// tells, and says by [`Lost::told`] whether that went well.
    pub(super) fn due(&self) -> Option<(u64, String)> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut state = self.lock();
        let now = Instant::now();
        if state.due.is_some_and(|due| now < due) {
            return None;
        }
        state.due = Some(now + AGAIN);
        Some((self.count.load(Ordering::Relaxed), state.why.clone()))
    }

    /// So many are known of now.
    pub(super) fn told(&self, lines: u64) {
        self.count.fetch_sub(lines, Ordering::Relaxed);
        self.lock().due = Some(Instant::now() + QUIET);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_until_they_are_told() {
        let lost = Lost::default();
        assert_eq!(lost.due(), None);
        lost.add(b"one\ntwo\n", "full");
        lost.add(b"three, and no end", "fuller");
        assert_eq!(lost.due(), Some((3, "fuller".to_owned())));
        // It did not get through, and is not tried at every line.
        assert_eq!(lost.due(), None);
        lost.lock().due = None;
        lost.add_lines(2, "full");
        assert_eq!(lost.due().map(|(count, _)| count), Some(5));
        lost.told(5);
        lost.add_lines(1, "full");
        assert_eq!(lost.due(), None);
        assert_eq!(lost.count.load(Ordering::Relaxed), 1);
    }
}
