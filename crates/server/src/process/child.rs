//! The worker process, as the master sees it.

pub(super) mod answer;
pub(super) mod order;
mod outbox;
mod reply;
#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use tidegate_config::block::main::Process;
use tidegate_http::log::file::LogFiles;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant as Moment, timeout_at};

use super::Source;
use super::channel::Channel;
use super::ground::Ground;
use super::memory::Memory;
use super::parcel::Parcel;
use super::serving::Numbers;
use super::worker::State;
use outbox::Outbox;
use reply::{Answer, Pulse, Reply};

/// Says in the environment that this is the worker process.
pub(super) const MARK: &str = "TIDEGATE_WORKER";

/// The longest message from the worker, in bytes: it is not trusted.
pub(super) const MOST: u64 = 1 << 24;

/// How long a worker may take to go by what it has built.
const COMMITMENT: Duration = Duration::from_secs(5);

/// How long a worker may take to build a configuration.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long a worker may take to say what it knows.
const SAYING: Duration = Duration::from_secs(2);

/// Why there is no answer.
enum Silence {
    /// The worker is no more.
    Ended,
    /// It has not answered in time.
    Late,
    /// It does not take the question.
    Deaf(io::Error),
}

/// A worker process.
pub(super) struct Child {
    /// Where it runs by itself.
    process: Option<std::process::Child>,
    outbox: Outbox,
    answers: UnboundedReceiver<Answer>,
    /// The number of the newest question, which its answer has, too.
    asked: u64,
    pulse: Arc<Pulse>,
    started: Instant,
}

impl Child {
    /// Starts a worker process, which waits for a configuration. In the background it has no
    /// terminal; of the environment it keeps what `env` says.
    pub(super) fn start(settings: &Process) -> Result<Self> {
        let (own, other) = UnixStream::pair().context("socketpair() failed")?;
        // Whatever may fail comes before it is there.
        let failed = "the worker process cannot be spoken to";
        let channel = Channel::patient(own, MOST);
        let pulse = Arc::<Pulse>::default();
        let answers = reply::listen(channel.try_clone().context(failed)?, Arc::clone(&pulse))?;
        let outbox = Outbox::new(channel)?;
        // The very program that runs, whatever lies in its place by now.
        let mut command = Command::new("/proc/self/exe");
        command.arg0("tidegate: worker process").env_clear().env(MARK, "1");
        for said in settings.env.iter().map(String::as_str).chain(["TZ"]) {
            match said.split_once('=') {
                Some((name, value)) => command.env(name, value),
                None => match std::env::var_os(said) {
                    Some(value) => command.env(said, value),
                    None => &mut command,
                },
            };
        }
        command.stdin(OwnedFd::from(other));
        if settings.daemon {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        }
        let process = command.spawn().context("the worker process cannot be started")?;
        let (process, started) = (Some(process), Instant::now());
        Ok(Self { process, outbox, answers, asked: 0, pulse, started })
    }

    /// Has a configuration built; where that fails, the worker goes on as it was.
    pub(super) async fn prepare(&mut self, source: &Source, ground: &Ground) -> Result<()> {
        self.asked += 1;
        let parcel = Parcel::of_ground(order::BUILD, self.asked, source, ground);
        self.outbox.ask(parcel).context("the worker process does not take the configuration")?;
        match self.answer(answer::BUILT, PATIENCE).await {
            Ok(Reply::Built(built)) => built.map_err(|fault| anyhow!("{fault}")),
            Ok(_) => bail!("the worker process talks nonsense"),
            Err(Silence::Late) => {
                // When it has built it after all, it must not keep sockets that nobody knows of.
                let _ = self.forget();
                bail!("the worker process has not built the configuration in 60 seconds")
            }
            Err(_) => bail!("the worker process has ended while it built the configuration"),
        }
    }

    /// Has it let go of what was built and is not to hold.
    pub(super) fn forget(&self) -> io::Result<()> {
        self.outbox.tell(Parcel::plain(order::FORGET, Vec::new()))
    }

    /// Lets what was built hold; ready when it does for every request from then on.
    pub(super) async fn commit(&mut self) -> Result<()> {
        match self.ask(order::COMMIT, answer::COMMITTED, COMMITMENT).await {
            // It has the order, and goes by it when it can.
            Ok(_) | Err(Silence::Late) => Ok(()),
            Err(Silence::Ended) => {
                bail!("the worker process has ended while it took up the configuration")
            }
            Err(Silence::Deaf(error)) => Err(error).context("the worker process is deaf"),
        }
    }

    /// Hands over logs that were opened anew.
    pub(super) fn replace_logs(&self, logs: &LogFiles) -> io::Result<()> {
        self.outbox.tell(Parcel::of_logs(order::LOGS, logs))
    }

    /// Orders it to end, while another serves; ready when it takes no more connections.
    pub(super) async fn leave(&mut self) -> io::Result<()> {
        // Whatever it has not heard yet: it would take connections for ever.
        let parcel = self.question(order::LEAVE);
        self.outbox.tell(parcel)?;
        // It has the order, and goes by it when it can.
        let _ = self.answer(answer::LEFT, COMMITMENT).await;
        Ok(())
    }

    /// Orders it to end.
    pub(super) fn order(&self, state: State) -> io::Result<()> {
        let kind = match state {
            State::Running => return Ok(()),
            State::Leaving => order::LEAVE,
            State::Draining => order::DRAIN,
            State::Stopping => order::STOP,
        };
        self.outbox.tell(Parcel::plain(kind, Vec::new()))
    }

    /// What is told of it; `None` where it does not answer.
    pub(super) async fn numbers(&mut self) -> Option<Numbers> {
        match self.ask(order::NUMBERS, answer::NUMBERS, SAYING).await {
            Ok(Reply::Numbers(numbers)) => Some(numbers),
            _ => None,
        }
    }

    /// The newest lines of its logs in memory; `None` where it does not answer.
    pub(super) async fn log(&mut self) -> Option<Vec<u8>> {
        match self.ask(order::LOG, answer::LOG, SAYING).await {
            Ok(Reply::Log(text)) => Some(text),
            _ => None,
        }
    }

    /// What it knows of clients and servers; `None` where it does not answer.
    pub(super) async fn memory(&mut self) -> Option<Memory> {
        match self.ask(order::MEMORY, answer::MEMORY, SAYING).await {
            Ok(Reply::Memory(memory)) => Some(memory),
            _ => None,
        }
    }

    /// Ways to it, and to those who serve beside it; `None` where it does not answer.
    pub(super) async fn ways(&mut self) -> Option<Memory> {
        match self.ask(order::WAYS, answer::WAYS, Duration::from_secs(1)).await {
            Ok(Reply::Ways(ways)) => Some(ways),
            _ => None,
        }
    }

    async fn ask(&mut self, order: u8, kind: u8, patience: Duration) -> Result<Reply, Silence> {
        let parcel = self.question(order);
        self.outbox.ask(parcel).map_err(Silence::Deaf)?;
        self.answer(kind, patience).await
    }

    /// A question of the next number.
    fn question(&mut self, order: u8) -> Parcel {
        self.asked += 1;
        Parcel::plain(order, vec![self.asked.to_le_bytes().to_vec()])
    }

    /// The answer of this kind to what was asked last. What the worker says besides is passed over: an
    /// answer that nobody waits for any more, or what comes of an order.
    async fn answer(&mut self, kind: u8, patience: Duration) -> Result<Reply, Silence> {
        let deadline = Moment::now() + patience;
        loop {
            match timeout_at(deadline, self.answers.recv()).await {
                Ok(Some(Answer { number, reply }))
                    if number == Some(self.asked) && reply.kind() == kind =>
                {
                    return Ok(reply);
                }
                Ok(Some(_)) => {}
                Ok(None) => return Err(Silence::Ended),
                Err(_) => return Err(Silence::Late),
            }
        }
    }

    /// How often its loops had beaten when it was heard of last; it is asked anew, unless it still
    /// owes an answer.
    pub(super) fn beats(&self) -> u64 {
        let beats = self.pulse.beats.load(Ordering::Relaxed);
        if !self.pulse.asked.swap(true, Ordering::Relaxed) {
            // One that is deaf does not beat.
            let _ = self.outbox.tell(Parcel::plain(order::BEATS, Vec::new()));
        }
        beats
    }

    /// Has it end at once; its end is heard of.
    pub(super) fn kill(&mut self) {
        // One that has ended already is heard of, too.
        let _ = self.process.as_mut().map(std::process::Child::kill);
    }

    /// Whether it is no more.
    pub(super) fn has_ended(&mut self) -> bool {
        let ended = |process: &mut std::process::Child| process.try_wait();
        self.process.as_mut().is_none_or(|process| ended(process).is_ok_and(|how| how.is_some()))
    }

    /// Ready when it is no more.
    pub(super) async fn ended(&mut self) {
        while self.answers.recv().await.is_some() {}
    }

    /// Ends it, if it has not ended yet, and says how it did.
    pub(super) fn end(&mut self) -> io::Result<ExitStatus> {
        // Without effect on one that has ended: it is not waited for yet.
        let Some(process) = &mut self.process else { return Ok(ExitStatus::default()) };
        let _ = process.kill();
        process.wait()
    }

    /// Its number.
    pub(super) fn pid(&self) -> u32 {
        self.process.as_ref().map_or(0, std::process::Child::id)
    }

    /// How long it has lived.
    pub(super) fn age(&self) -> Duration {
        self.started.elapsed()
    }
}
