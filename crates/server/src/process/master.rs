//! The master: it reads, opens and binds, acts on signals, and sees to it that somebody serves.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tidegate_config::Config;
use tidegate_config::http::error_log::Level;
use tidegate_http::log::ProcessLog;

use super::Source;
use super::child::Child;
use super::ground::{Ground, Rights};
use super::serving::Serving;
use super::signal::{Signals, Word};
use super::worker::State;
use crate::listen;

/// What is told of a signal that asks for more than there is.
const NO_UPGRADE: &str = "signal 12 (SIGUSR2) received: another program cannot take over without \
                          an interruption; nothing is done";

/// How long a worker that was told to stop may take.
const STOPPING: Duration = Duration::from_secs(5);

/// A worker that dies younger than this is started again after a pause.
const YOUNG: Duration = Duration::from_secs(1);

/// The first pause; it doubles up to the last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// Where requests are served.
pub(super) enum Place {
    /// In this process.
    Here(Box<Serving>),
    /// In the worker process.
    There(Child),
    /// Nowhere for the moment: the worker process has died, and another is due.
    Nowhere(Instant),
}

/// The master.
pub(super) struct Master {
    /// Where the configuration comes from.
    source: Source,
    /// The configuration that holds, and what is open for it.
    ground: Ground,
    /// Where requests are served.
    place: Place,
    rights: Rights,
    log: ProcessLog,
    state: State,
    /// How many workers have died young, one after another.
    died_young: u32,
}

impl Master {
    /// The master of what is there already.
    pub(super) fn new(source: Source, ground: Ground, place: Place, rights: Rights) -> Self {
        let log = ProcessLog::new(&ground.config, ground.logs.clone());
        Self { source, ground, place, rights, log, state: State::Running, died_young: 0 }
    }

    /// Acts on signals until nobody serves any more, as told.
    pub(super) async fn follow(mut self, mut signals: Signals) {
        self.tell_left_out();
        let mut deadline = None;
        loop {
            let running = self.state == State::Running;
            let due = match self.place {
                Place::Nowhere(due) => Some(due),
                _ => None,
            };
            tokio::select! {
                word = signals.next() => self.act(word).await,
                () = ended(&mut self.place, running) => {
                    if !running {
                        break;
                    }
                    self.bury();
                }
                () = until(due) => {
                    if !running {
                        break;
                    }
                    self.start_another().await;
                }
                () = until(deadline) => break,
            }
            if self.state == State::Stopping && deadline.is_none() {
                deadline = Some(Instant::now() + STOPPING);
            }
        }
        match &mut self.place {
            Place::Here(serving) => serving.end(),
            Place::There(child) => {
                let _ = child.end();
            }
            Place::Nowhere(_) => {}
        }
    }

    async fn act(&mut self, word: Word) {
        match word {
            Word::Stop => self.order(State::Stopping),
            Word::Quit if self.state == State::Running => self.order(State::Draining),
            Word::Reload if self.state == State::Running => self.reload().await,
            Word::Reload | Word::Quit => {}
            Word::Reopen => self.reopen(),
            // Not caught, it would end the server.
            Word::Upgrade => self.log.tell(Level::Error, NO_UPGRADE),
        }
    }

    /// Orders whoever serves to end; new clients are refused from now on.
    fn order(&mut self, state: State) {
        self.state = state;
        listen::remove_paths(self.ground.listeners.keys());
        self.ground.listeners = std::sync::Arc::default();
        match &self.place {
            Place::Here(serving) => serving.order(state),
            Place::There(child) => {
                if let Err(error) = child.order(state) {
                    self.log.tell(Level::Alert, &format!("the worker process is deaf: {error}"));
                }
            }
            Place::Nowhere(_) => {}
        }
    }

    /// Takes up the configuration anew. Where anything is wrong, nothing changes.
    async fn reload(&mut self) {
        self.log.tell(Level::Notice, "signal 1 (SIGHUP) received, reconfiguring");
        if let Err(error) = self.renew().await {
            // Of what -t says, the lines that name a fault; the excerpts are for a terminal.
            let text = format!("{error:#}");
            let faults: Vec<&str> =
                text.lines().filter_map(|line| line.strip_prefix("nginx: [emerg] ")).collect();
            let lines = if faults.is_empty() { text.lines().collect() } else { faults };
            for line in lines {
                self.log.tell(Level::Emerg, line);
            }
            self.log.tell(Level::Emerg, "the old configuration holds on");
        }
    }

    async fn renew(&mut self) -> Result<()> {
        let log = self.log.clone();
        let tell = |level, text: &str| log.tell(level, text);
        let ground = self.ground.renew(&self.source, self.rights, &tell)?;
        self.prepare(&ground).await?;
        self.commit()?;
        let before = std::mem::replace(&mut self.ground, ground);
        self.log = ProcessLog::new(&self.ground.config, self.ground.logs.clone());
        let now = &self.ground.listeners;
        listen::remove_paths(before.listeners.keys().filter(|gone| !now.contains_key(*gone)));
        self.tell_left_out();
        for name in only_at_start(&before.config, &self.ground.config) {
            let text = format!("\"{name}\" has changed, which takes a restart");
            self.log.tell(Level::Warn, &text);
        }
        self.log.tell(Level::Notice, "the new configuration holds");
        Ok(())
    }

    /// Has a configuration built by whoever serves, or by a new worker process.
    async fn prepare(&mut self, ground: &Ground) -> Result<()> {
        match &mut self.place {
            Place::Here(serving) => serving.prepare(ground),
            Place::There(child) => child.prepare(&self.source, ground).await,
            Place::Nowhere(_) => {
                let mut child = Child::start(ground.config.main.process.daemon)?;
                child.prepare(&self.source, ground).await?;
                self.place = Place::There(child);
                Ok(())
            }
        }
    }

    fn commit(&mut self) -> Result<()> {
        match &mut self.place {
            Place::Here(serving) => serving.commit(),
            Place::There(child) => child.commit().context("the worker process is deaf"),
            Place::Nowhere(_) => Ok(()),
        }
    }

    fn reopen(&self) {
        self.log.tell(Level::Notice, "signal 10 (SIGUSR1) received, reopening logs");
        for text in self.ground.reopen() {
            self.log.tell(Level::Emerg, &text);
        }
        if let Place::There(child) = &self.place
            && let Err(error) = child.replace_logs(&self.ground.logs)
        {
            self.log.tell(Level::Alert, &format!("the worker process is deaf: {error}"));
        }
    }

    /// Tells how the worker process died, and says when another is due.
    fn bury(&mut self) {
        let Place::There(child) = &mut self.place else { return };
        let (pid, age) = (child.pid(), child.age());
        let how = match child.end() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let died_young = if age < YOUNG { self.died_young + 1 } else { 0 };
        let pause = pause(died_young);
        self.died_young = died_young;
        self.place = Place::Nowhere(Instant::now() + pause);
        let soon = if pause.is_zero() {
            "another is started".to_owned()
        } else {
            format!("another is started in {} ms", pause.as_millis())
        };
        self.log.tell(Level::Alert, &format!("worker process {pid} ended ({how}); {soon}"));
    }

    async fn start_another(&mut self) {
        // What it stands on is borrowed, and what is kept is changed, at once.
        let Self { source, ground, .. } = &*self;
        let started = async {
            let mut child = Child::start(ground.config.main.process.daemon)?;
            child.prepare(source, ground).await?;
            child.commit()?;
            anyhow::Ok(child)
        };
        match started.await {
            Ok(child) => self.place = Place::There(child),
            Err(error) => {
                self.died_young += 1;
                self.place = Place::Nowhere(Instant::now() + pause(self.died_young));
                self.log.tell(Level::Alert, &format!("{error:#}"));
            }
        }
    }

    fn tell_left_out(&self) {
        for text in listen::left_out(&self.ground.config.http) {
            self.log.tell(Level::Error, &text);
        }
    }
}

/// Ready when nobody serves any more. One's own threads end only when they are told.
async fn ended(place: &mut Place, running: bool) {
    match place {
        Place::There(child) => child.ended().await,
        Place::Here(serving) if !running => serving.ended().await,
        Place::Here(_) | Place::Nowhere(_) => std::future::pending().await,
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => std::future::pending().await,
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

/// The directives that a reload cannot act on and that are said otherwise than before.
fn only_at_start(before: &Config, after: &Config) -> Vec<&'static str> {
    let (before, after) = (&before.main.process, &after.main.process);
    let changed = [
        ("worker_processes", before.worker_processes != after.worker_processes),
        ("worker_rlimit_nofile", before.rlimit_nofile != after.rlimit_nofile),
        ("user", before.user != after.user),
        ("pid", before.pid != after.pid),
        ("daemon", before.daemon != after.daemon),
        ("master_process", before.master_process != after.master_process),
    ];
    changed.iter().filter(|(_, changed)| *changed).map(|(name, _)| *name).collect()
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
