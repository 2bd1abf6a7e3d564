//! The master: it reads, opens and binds, acts on signals, and sees to it that somebody serves.

mod heard;
mod orphans;
mod place;
mod reload;
mod status;
mod takeover;
mod upstream;
mod watch;
mod worker;

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use tidegate_config::http::error_log::Level;
use tidegate_config::http::listen::BindAddress;
use tidegate_http::log::ProcessLog;

use super::Source;
use super::admin::{Admin, Ask, Request};
use super::ground::{Ground, Rights};
use super::notify::Notify;
use super::pid::PidFile;
use super::signal::{Signals, Word};
use super::successor::{News, Predecessor};
use super::worker::State;
use crate::listen;
use heard::{Heard, Told, Yields};
pub(super) use place::Place;
use place::ended;
use takeover::Takeover;
use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio::time::timeout;
use watch::Watch;

/// How long a worker that was told to stop may take.
const STOPPING: Duration = Duration::from_secs(5);

/// How long an answer to somebody who asked may take to go out.
const SAYING: Duration = Duration::from_secs(1);

/// How often it is seen whether those who leave have left.
const LEAVING: Duration = Duration::from_millis(100);

/// What a master is made of.
pub(super) struct Parts {
    /// Where the configuration comes from.
    pub(super) source: Source,
    /// The configuration that holds, and what is open for it.
    pub(super) ground: Ground,
    /// Where requests are served.
    pub(super) place: Place,
    /// Whether a worker process serves, not this one.
    pub(super) splits: bool,
    /// What may be done.
    pub(super) rights: Rights,
    /// The file with the process's number.
    pub(super) pid: PidFile,
    /// Where the program lies.
    pub(super) program: PathBuf,
    /// The server whose place this one takes.
    pub(super) predecessor: Option<Predecessor>,
}

/// The master.
pub(super) struct Master {
    parts: Parts,
    log: ProcessLog,
    state: State,
    admin: Option<Admin>,
    notify: Notify,
    watch: Watch,
    /// Whether nobody shall serve here for the moment (WINCH): another program does.
    resting: bool,
    takeover: Option<Takeover>,
    /// Those who served before, and finish what they have begun.
    leaving: Vec<Place>,
    /// How many workers have died young, one after another.
    died_young: u32,
    reloads: u32,
    reloading: bool,
    /// What a reload that is under way has begun to listen on.
    opening: Vec<BindAddress>,
    /// Answers that are being sent; they go out before the end.
    saying: Vec<oneshot::Receiver<()>>,
    started: SystemTime,
}

impl Master {
    /// The master of what is there already; within a runtime.
    pub(super) fn new(parts: Parts, admin: Option<Admin>) -> Self {
        let log = ProcessLog::new(&parts.ground.config, parts.ground.logs.clone());
        let notify = Notify::of_environment();
        let watch = Watch::new(notify.interval());
        Self {
            parts,
            log,
            state: State::Running,
            admin,
            notify,
            watch,
            resting: false,
            takeover: None,
            leaving: Vec::new(),
            died_young: 0,
            reloads: 0,
            reloading: false,
            opening: Vec::new(),
            saying: Vec::new(),
            started: SystemTime::now(),
        }
    }

    /// Acts on signals and requests until nobody serves any more, as told.
    pub(super) async fn follow(mut self, signals: Signals) {
        let mut heard = Heard::new(signals, self.admin.as_mut().and_then(Admin::asks));
        self.tell_start();
        self.notify.ready();
        if let Some(predecessor) = &mut self.parts.predecessor {
            predecessor.tell();
        }
        let mut deadline = None;
        loop {
            let running = self.state == State::Running;
            let due = match self.parts.place {
                Place::Nowhere(_) if !running && self.leaving.is_empty() => break,
                // Whoever ends starts nobody any more.
                Place::Nowhere(due) if running => due,
                _ => None,
            };
            let someone_leaves = Some(LEAVING).filter(|_| !self.leaving.is_empty());
            let takeover_deadline = self.takeover.as_ref().and_then(Takeover::deadline);
            let ended = tokio::select! {
                told = heard.next() => heard.unless_ended(told.yields(), self.act(told)).await,
                () = until(due) => heard.unless_ended(Yields::ToEnd, self.start_another()).await,
                () = ended(&mut self.parts.place, running && !self.resting) => { self.bury(); None },
                news = news(&mut self.takeover) => { self.hear(news); None },
                () = until(takeover_deadline) => { self.give_up_takeover(); None },
                () = until(Some(self.watch.due())) => { self.look(); None },
                () = pause(someone_leaves) => {
                    self.leaving.retain_mut(|place| !place.has_ended());
                    None
                }
                () = until(deadline) => break,
            };
            if let Some(told) = ended {
                self.give_up_reload();
                self.act(told).await;
            }
            if self.state == State::Stopping && deadline.is_none() {
                deadline = Some(Instant::now() + STOPPING);
            }
        }
        for said in self.saying.drain(..) {
            let _ = timeout(SAYING, said).await;
        }
        self.end();
    }

    async fn act(&mut self, told: Told) {
        match told {
            Told::Word(word) => self.obey(word).await,
            Told::Ask(ask) => self.answer(ask).await,
        }
    }

    async fn obey(&mut self, word: Word) {
        if let Some(told) = word.told() {
            self.log.tell(Level::Notice, told);
        }
        match word {
            Word::Stop | Word::Interrupt => self.order(State::Stopping),
            Word::Quit => self.order(self.quitting()),
            Word::Reload if self.state != State::Running => {}
            // What comes of it is in the log.
            Word::Reload if self.resting => drop(self.wake().await),
            Word::Reload => drop(self.reload().await),
            Word::Reopen => self.reopen(),
            Word::Upgrade => {
                if let Err(error) = self.start_takeover().await {
                    self.log.tell(Level::Alert, &format!("{error:#}"));
                }
            }
            // A terminal whose window changes sends it, too.
            Word::Rest if self.parts.ground.config.main.process.daemon => self.rest(),
            Word::Rest => {}
            Word::Child => self.bury_orphans(),
        }
    }

    async fn answer(&mut self, ask: Ask) {
        self.saying.retain_mut(|said| said.try_recv() == Err(TryRecvError::Empty));
        self.saying.push(ask.said);
        if let Some(told) = ask.request.told() {
            self.log.tell(Level::Notice, told);
        }
        let running = self.state == State::Running;
        let answer = match ask.request {
            Request::Status => Ok(self.status().await),
            Request::Log => Ok(self.log_in_memory().await),
            Request::Upstream(words) => self.upstream(&words).await,
            Request::Quit => {
                self.order(self.quitting());
                Ok("it ends with its last connection".to_owned())
            }
            _ if !running => Err("the server is ending".to_owned()),
            Request::Reload if self.resting => self.wake().await,
            Request::Reload => self.reload().await,
            Request::Upgrade => match self.start_takeover().await {
                Ok(()) => {
                    if let Some(takeover) = &mut self.takeover {
                        takeover.asked(ask.answer);
                    }
                    return;
                }
                Err(error) => Err(format!("{error:#}")),
            },
        };
        // One who does not wait for it needs no answer.
        let _ = ask.answer.send(answer);
    }

    /// Orders whoever serves to end; new clients are refused from now on, unless another program
    /// has the sockets.
    fn order(&mut self, state: State) {
        if self.state == State::Stopping {
            return;
        }
        self.state = state;
        self.notify_end();
        if self.takeover.is_none()
            && !self.parts.predecessor.as_ref().is_some_and(Predecessor::lives)
        {
            listen::remove_paths(self.parts.ground.listeners.keys());
        }
        self.parts.ground.listeners = std::sync::Arc::default();
        for place in self.leaving.iter_mut().chain([&mut self.parts.place]) {
            place.order(state, &self.log);
        }
    }

    /// The manager is told of the end, unless another program goes on as this service.
    fn notify_end(&self) {
        if self.takeover.is_none() {
            self.notify.stopping();
        }
    }

    fn end(&mut self) {
        for place in self.leaving.iter_mut().chain([&mut self.parts.place]) {
            match place {
                Place::Here(serving) => serving.end(),
                Place::There(child) => {
                    let _ = child.end();
                }
                Place::Nowhere(_) => {}
            }
        }
        self.log.tell(Level::Notice, "exit");
    }
}

async fn news(takeover: &mut Option<Takeover>) -> News {
    match takeover {
        Some(takeover) => takeover.news().await,
        None => std::future::pending().await,
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}

async fn pause(length: Option<Duration>) {
    match length {
        Some(length) => tokio::time::sleep(length).await,
        None => std::future::pending().await,
    }
}
