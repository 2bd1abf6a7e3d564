//! A worker process that dies is replaced, and one that rests is woken.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit};
use tidegate_config::http::error_log::Level;

use super::{Master, Place};
use crate::listen;
use crate::process::admin::Answer;
use crate::process::worker::State;

/// A worker that dies younger than this is started again after a pause.
const YOUNG: Duration = Duration::from_secs(1);

/// The first pause; it doubles up to the last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

impl Master {
    /// Tells who serves from here on, and what is not listened on.
    pub(super) fn tell_start(&self) {
        let limit = getrlimit(Resource::Nofile);
        let (now, most) = (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX));
        let version = concat!("tidegate/", env!("CARGO_PKG_VERSION"));
        self.log.tell(Level::Notice, version);
        self.log.tell(Level::Notice, &format!("getrlimit(RLIMIT_NOFILE): {now}:{most}"));
        self.tell_worker(&self.parts.place);
        self.tell_left_out();
    }

    /// Tells which worker process serves.
    pub(super) fn tell_worker(&self, place: &Place) {
        if let Place::There(child) = place {
            self.log.tell(Level::Notice, &format!("start worker process {}", child.pid()));
        }
    }

    /// Tells what is not listened on.
    pub(super) fn tell_left_out(&self) {
        for text in listen::left_out(&self.parts.ground.config.http) {
            self.log.tell(Level::Error, &text);
        }
    }

    /// Tells how the worker process died, and says when another is due.
    pub(super) fn bury(&mut self) {
        let Place::There(child) = &mut self.parts.place else {
            self.parts.place = Place::Nowhere(None);
            return;
        };
        let (pid, age) = (child.pid(), child.age());
        let how = match child.end() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        if self.resting || self.state != State::Running {
            self.parts.place = Place::Nowhere(None);
            self.log.tell(Level::Notice, &format!("worker process {pid} ended ({how})"));
            return;
        }
        self.died_young = if age < YOUNG { self.died_young + 1 } else { 0 };
        let pause = pause(self.died_young);
        self.parts.place = Place::Nowhere(Some(Instant::now() + pause));
        let soon = if pause.is_zero() {
            "another is started".to_owned()
        } else {
            format!("another is started in {} ms", pause.as_millis())
        };
        self.log.tell(Level::Alert, &format!("worker process {pid} ended ({how}); {soon}"));
    }

    /// Starts another worker process.
    pub(super) async fn start_another(&mut self) {
        self.parts.ground.memory = self.known().await.map(Arc::new);
        let started = match self.another(&self.parts.ground).await {
            Ok(another) => {
                // As soon as it serves, it finishes what it has begun, even where this is given up.
                self.parts.place = another;
                self.parts.place.commit().await
            }
            Err(error) => Err(error),
        };
        self.parts.ground.memory = None;
        match started {
            Ok(()) => self.tell_worker(&self.parts.place),
            Err(error) => {
                self.died_young += 1;
                let pause = pause(self.died_young);
                self.parts.place = Place::Nowhere(Some(Instant::now() + pause));
                let text = format!("{error:#}; another is started in {} ms", pause.as_millis());
                self.log.tell(Level::Alert, &text);
            }
        }
    }

    /// Has nobody serve here, while the sockets stay open (WINCH).
    pub(super) fn rest(&mut self) {
        if !self.resting && self.state == State::Running {
            self.log.tell(Level::Notice, "signal 28 (SIGWINCH) received, the workers end");
            self.resting = true;
            if let Place::Nowhere(due) = &mut self.parts.place {
                // The next one is not started either.
                *due = None;
            }
            self.parts.place.order(State::Leaving, &self.log);
        }
    }

    /// Has somebody serve here again, by the configuration that held.
    pub(super) async fn wake(&mut self) -> Answer {
        self.resting = false;
        let nowhere = Place::Nowhere(Some(Instant::now()));
        // Those who still finish what they have begun go on with that.
        let before = std::mem::replace(&mut self.parts.place, nowhere);
        self.leaving.push(before);
        self.start_another().await;
        match self.parts.place {
            Place::Nowhere(_) => Err("no worker process could be started yet".to_owned()),
            _ => Ok("workers serve again, by the configuration that held".to_owned()),
        }
    }
}

/// How long to wait after this many workers have died young, one after another.
fn pause(died_young: u32) -> Duration {
    let (first, last) = PAUSES;
    match died_young {
        0 | 1 => Duration::ZERO,
        more => first.saturating_mul(1 << (more - 2).min(10)).min(last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_up_to_ten_seconds() {
        let pauses: Vec<u128> = (0..12).map(|number| pause(number).as_millis()).collect();
        assert_eq!(pauses[..6], [0, 0, 100, 200, 400, 800]);
        assert_eq!(pauses[11], 10_000);
    }
}
