//! A group none of whose servers can be reached: since when, who waits, and whose turn it is to look.
//!
//! Those who wait do not all knock at once: one of them looks, by and by less often, and when a
//! server is back the others go on, each when its own pause is over.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// The first pause between two looks.
pub const SHORTEST: Duration = Duration::from_millis(10);

/// The longest one.
pub const LONGEST: Duration = Duration::from_millis(200);

/// A restart takes no longer: after it nobody waits any more, until a server has answered.
const RESTART: Duration = Duration::from_mins(1);

/// What a group knows of its absence; shared by all workers.
#[derive(Debug, Default)]
pub struct Outage {
    /// Whether there is one: asked by every request, without a lock.
    lasts: AtomicBool,
    absence: Mutex<Option<Absence>>,
    waiting: AtomicU32,
    /// Told when a server can take one more.
    pub(crate) freed: Notify,
}

#[derive(Clone, Copy, Debug)]
struct Absence {
    since: Instant,
    /// When somebody may look again.
    next: Instant,
    pause: Duration,
}

impl Outage {
    /// Whether no server could be reached the last time.
    pub fn lasts(&self) -> bool {
        self.lasts.load(Ordering::Relaxed)
    }

    fn absence(&self) -> MutexGuard<'_, Option<Absence>> {
        self.absence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No server could be reached.
    pub fn begin(&self, now: Instant) {
        let fresh = Absence { since: now, next: now + SHORTEST, pause: SHORTEST };
        self.absence().get_or_insert(fresh);
        self.lasts.store(true, Ordering::Relaxed);
    }

    /// A server has been reached: how long none was, for the one who ends it.
    pub fn end(&self, now: Instant) -> Option<Duration> {
        if !self.lasts() {
            return None;
        }
        self.lasts.store(false, Ordering::Relaxed);
        self.absence().take().map(|absence| now.duration_since(absence.since))
    }

    /// Whether it lasts longer than a restart.
    pub fn is_hopeless(&self, now: Instant) -> bool {
        self.lasts()
            && self.absence().is_some_and(|absence| now.duration_since(absence.since) > RESTART)
    }

    /// Whether one who has paused may try: a server is back, or it is time to look whether one is.
    pub fn turn(&self, now: Instant) -> bool {
        match &mut *self.absence() {
            None => true,
            Some(absence) if now < absence.next => false,
            Some(absence) => {
                absence.pause = (absence.pause * 2).min(LONGEST);
                absence.next = now + absence.pause;
                true
            }
        }
    }

    /// Joins those who wait, if they are fewer than so many; [`Outage::leave`] ends it.
    pub fn join(&self, most: u32) -> bool {
        let more = |count: u32| (count < most).then_some(count + 1);
        self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Leaves those who wait.
    pub fn leave(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// A server can take one more: the first who waits may try.
    pub fn free(&self) {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.freed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_looks_and_less_and_less_often() {
        let (outage, start) = (Outage::default(), Instant::now());
        assert!(!outage.lasts() && outage.turn(start));
        outage.begin(start);
        let turns =
            |until: u64| (0..until).filter(|ms| outage.turn(start + Duration::from_millis(*ms)));
        let turns: Vec<u64> = turns(1000).collect();
        assert_eq!(turns, [10, 30, 70, 150, 310, 510, 710, 910]);
        outage.begin(start + LONGEST);
        assert_eq!(outage.end(start + LONGEST), Some(LONGEST));
        assert!(outage.turn(start) && outage.end(start).is_none());
    }

    #[test]
    fn a_restart_ends_some_day() {
        let (outage, start) = (Outage::default(), Instant::now());
        outage.begin(start);
        assert!(!outage.is_hopeless(start + Duration::from_secs(59)));
        assert!(outage.is_hopeless(start + Duration::from_secs(61)));
    }

    #[test]
    fn so_many_may_wait_and_no_more() {
        let outage = Outage::default();
        assert!(outage.join(2) && outage.join(2) && !outage.join(2));
        outage.leave();
        assert!(outage.join(2) && !outage.join(0));
    }
}
