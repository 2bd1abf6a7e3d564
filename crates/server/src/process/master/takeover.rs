//! Another program takes this one's place (USR2, `tidegate upgrade`), or fails to.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use tidegate_config::http::error_log::Level;
use tidegate_http::log::words::words;
use tokio::sync::oneshot;

use super::Master;
use crate::process::admin::Answer;
use crate::process::successor::{News, Predecessor, Successor};
use crate::process::worker::State;

/// How long another program may take to serve when this one is to end then.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is told where two programs stand in each other's place already (nginx's words).
const IGNORED: &str = "the changing binary signal is ignored: you should shutdown or terminate \
                       before either old or new binary's process";

/// Another program that takes this one's place.
pub(super) struct Takeover {
    successor: Successor,
    /// Who waits for it: this one ends, too, when the other serves.
    asked: Option<oneshot::Sender<Answer>>,
    started: Instant,
    serves: bool,
}

impl Takeover {
    /// What becomes of it.
    pub(super) async fn news(&mut self) -> News {
        match self.successor.news().await {
            Some(news) => news,
            None => std::future::pending().await,
        }
    }

    /// The other program's number.
    pub(super) fn pid(&self) -> rustix::process::Pid {
        self.successor.pid()
    }

    /// This one is to end when the other serves, and somebody waits for the outcome.
    pub(super) fn asked(&mut self, answer: oneshot::Sender<Answer>) {
        self.asked = Some(answer);
    }

    /// When it is given up.
    pub(super) fn deadline(&self) -> Option<Instant> {
        (!self.serves && self.asked.is_some()).then(|| self.started + PATIENCE)
    }
}

impl Master {
    /// Starts the program that lies where this one lay; it gets the sockets, and the name of the
    /// pid file.
    pub(super) async fn start_takeover(&mut self) -> Result<()> {
        if self.takeover.is_some()
            || self.parts.predecessor.as_ref().is_some_and(Predecessor::lives)
        {
            bail!(IGNORED);
        }
        if std::process::id() == 1 {
            bail!(
                "the first process of a container cannot give its place away: with it the container ends; start another container"
            );
        }
        let memory = self.known().await;
        let path = self.parts.ground.config.main.process.pid.clone();
        let mut old = path.clone().into_os_string();
        old.push(".oldbin");
        self.move_pid(old.as_ref())?;
        match Successor::start(&self.parts.program, &self.parts.ground, memory.as_ref()) {
            Ok(successor) => {
                let pid = successor.pid();
                self.log.tell(Level::Notice, &format!("start new binary process {pid}"));
                let started = Instant::now();
                self.takeover = Some(Takeover { successor, asked: None, started, serves: false });
                Ok(())
            }
            Err(error) => {
                self.move_pid(&path)?;
                Err(error)
            }
        }
    }

    fn move_pid(&mut self, path: &std::path::Path) -> Result<()> {
        let old = self.parts.pid.path().to_owned();
        self.parts.pid.rename(path).map_err(|error| {
            let error = words(&error);
            anyhow!("rename() {} to {} failed ({error})", old.display(), path.display())
        })?;
        if let Some(admin) = &mut self.admin {
            admin.follow(path);
        }
        Ok(())
    }

    /// How one who is told to quit goes: where another program has the sockets, that one takes who
    /// comes next.
    pub(super) fn quitting(&self) -> State {
        let precedes = self.takeover.as_ref().is_some_and(|takeover| takeover.serves);
        let succeeds = self.parts.predecessor.as_ref().is_some_and(Predecessor::lives);
        if precedes || succeeds { State::Leaving } else { State::Draining }
    }

    /// The other program serves, or has ended.
    pub(super) fn hear(&mut self, news: News) {
        let Some(takeover) = &mut self.takeover else { return };
        let pid = takeover.successor.pid();
        match news {
            News::Serves => {
                takeover.serves = true;
                self.log.tell(Level::Notice, &format!("new binary process {pid} serves"));
                if let Some(answer) = takeover.asked.take() {
                    let text = format!(
                        "process {pid} serves; process {} ends with its last connection",
                        std::process::id()
                    );
                    let _ = answer.send(Ok(text));
                    self.order(State::Leaving);
                }
            }
            News::Ended(how) => {
                let asked = takeover.asked.take();
                self.takeover = None;
                let mut text = format!("new binary process {pid} ended ({how})");
                if self.state == State::Running {
                    let path = self.parts.ground.config.main.process.pid.clone();
                    if let Err(error) = self.move_pid(&path) {
                        self.log.tell(Level::Alert, &format!("{error:#}"));
                    }
                    self.notify.ready();
                    text.push_str("; this one goes on as if nothing had been asked");
                }
                self.log.tell(Level::Alert, &text);
                if let Some(asked) = asked {
                    let _ = asked.send(Err(text + ". What is wrong is in its error log"));
                }
            }
        }
    }

    /// The other program takes too long; its end is heard of.
    pub(super) fn give_up_takeover(&mut self) {
        if let Some(takeover) = &mut self.takeover {
            // Its end is waited for, and no longer than that.
            takeover.started = Instant::now();
            takeover.successor.stop();
        }
    }
}
