//! Whether whoever serves is alive: the service manager hears of it, and a worker process that stands
//! still for longer than its watchdog allows is replaced.

use std::time::{Duration, Instant};

use tidegate_config::http::error_log::Level;

use super::{Master, Place};
use crate::process::worker::State;

/// How often it is looked, where a watchdog does not want it oftener.
const LOOK: Duration = Duration::from_secs(1);

/// How often where there is no watchdog: it is told, and nothing is done.
const REST: Duration = Duration::from_secs(10);

/// The shortest silence that means anything: the loops of workers beat twice a second.
const SHORTEST: Duration = Duration::from_secs(1);

/// What is known of the life of whoever serves.
///
/// Time is counted in looks, not read off a clock: where the whole machine stood still, a virtual one
/// that was moved, the clock has leapt for everybody, and nobody is to blame.
#[derive(Debug)]
pub(super) struct Watch {
    /// Half of the service manager's patience; `None` where it has not said any.
    half: Option<Duration>,
    due: Instant,
    /// When the manager was told last.
    said: Instant,
    /// The beats of the loops that were heard of last.
    beats: u64,
    /// For how long they have been the same.
    silent: Duration,
}

/// What a look has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// It lives.
    Alive,
    /// It stands still, and has just begun to do so for too long.
    Still,
    /// It stands still as before.
    StillAsBefore,
}

impl Watch {
    /// Begins to watch, with half of the watchdog's time.
    pub(super) fn new(half: Option<Duration>) -> Self {
        let now = Instant::now();
        let every = every(half);
        Self { half, due: now + every, said: now, beats: 0, silent: Duration::ZERO }
    }

    /// When it is to be looked next.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// For how long nobody may serve.
    fn patience(&self) -> Duration {
        self.half.unwrap_or(2 * REST).max(SHORTEST)
    }

    /// It was looked: how often the loops have beaten so far, or nobody serves.
    fn heard(&mut self, beats: Option<u64>) -> Found {
        let was_still = self.silent >= self.patience();
        match beats {
            Some(beats) if beats != self.beats => {
                (self.beats, self.silent) = (beats, Duration::ZERO);
            }
            _ => self.silent = self.silent.saturating_add(every(self.half)),
        }
        match (self.silent >= self.patience(), was_still) {
            (false, _) => Found::Alive,
            (true, false) => Found::Still,
            (true, true) => Found::StillAsBefore,
        }
    }

    /// Whether the manager is to be told now.
    fn is_time(&mut self, now: Instant) -> bool {
        // A look is never late by more than a moment, and never as much as the other half.
        let is_time = self.half.is_some_and(|half| now - self.said + every(self.half) > half);
        if is_time {
            self.said = now;
        }
        is_time
    }
}

fn every(half: Option<Duration>) -> Duration {
    half.map_or(REST, |half| half.min(LOOK))
}

impl Master {
    /// Looks whether whoever serves is alive. Where nobody shall, nobody is missed.
    pub(super) fn look(&mut self) {
        let now = Instant::now();
        self.watch.due = now + every(self.watch.half);
        if self.state == State::Running && !self.resting {
            let beats = match &self.parts.place {
                Place::Here(serving) => Some(serving.beats()),
                Place::There(child) => Some(child.beats()),
                Place::Nowhere(_) => None,
            };
            match self.watch.heard(beats) {
                Found::Alive => {}
                found => {
                    self.miss(found);
                    return;
                }
            }
        } else {
            self.watch.silent = Duration::ZERO;
        }
        if self.watch.is_time(now) {
            self.notify.lives();
        }
    }

    /// Nobody serves, though somebody shall: the manager hears no more until somebody does.
    fn miss(&mut self, found: Found) {
        let Place::There(child) = &mut self.parts.place else { return };
        if found == Found::StillAsBefore {
            return;
        }
        let (pid, silent) = (child.pid(), self.watch.silent.as_secs_f32());
        let mut text = format!("worker process {pid} has stood still for {silent:.1}s");
        if self.watch.half.is_some() {
            text.push_str(", which the watchdog does not allow: it is killed");
            child.kill();
        }
        self.log.tell(Level::Alert, &text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_beat_for_half_of_the_watchdogs_time_stands_still() {
        let mut watch = Watch::new(Some(Duration::from_secs(3)));
        assert_eq!([Some(1), Some(1), Some(1)].map(|beats| watch.heard(beats)), [Found::Alive; 3]);
        assert_eq!(watch.heard(Some(2)), Found::Alive);
        assert_eq!([Some(2), None].map(|beats| watch.heard(beats)), [Found::Alive; 2]);
        assert_eq!(watch.heard(None), Found::Still);
        assert_eq!(watch.heard(Some(2)), Found::StillAsBefore);
        assert_eq!(watch.heard(Some(3)), Found::Alive);
    }

    #[test]
    fn the_manager_is_told_in_time_and_not_at_every_look() {
        let mut watch = Watch::new(Some(Duration::from_secs(3)));
        let start = watch.said;
        let told = (1..10).filter(|second| watch.is_time(start + Duration::from_secs(*second)));
        assert_eq!(told.collect::<Vec<_>>(), [3, 6, 9]);
        assert!(!Watch::new(None).is_time(start + Duration::from_secs(100)));
    }
}
