//! The worker process, as the master sees it.

pub(super) mod answer;
pub(super) mod order;

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use tidegate_config::block::main::Process;
use tidegate_http::log::file::LogFiles;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use super::Source;
use super::channel::Channel;
use super::ground::Ground;
use super::memory::Memory;
use super::parcel;
use super::serving::Numbers;
use super::worker::State;

/// Says in the environment that this is the worker process.
pub(super) const MARK: &str = "TIDEGATE_WORKER";

/// The longest message from the worker, in bytes: it is not trusted.
pub(super) const MOST: u64 = 1 << 20;

/// How long a worker may take to go by what it has built.
const COMMITMENT: Duration = Duration::from_secs(5);

/// How long a worker may take to build a configuration.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the worker says.
enum Reply {
    Built(Result<(), String>),
    Committed,
    Numbers(Numbers),
    Log(Vec<u8>),
    Memory(Memory),
}

/// A worker process.
pub(super) struct Child {
    process: std::process::Child,
    channel: Channel,
    answers: UnboundedReceiver<Reply>,
    pulse: Arc<Pulse>,
    started: Instant,
}

/// What is heard of its life.
#[derive(Debug, Default)]
struct Pulse {
    beats: AtomicU64,
    /// Whether it has been asked, and has not answered yet.
    asked: AtomicBool,
}

impl Child {
    /// Starts a worker process, which waits for a configuration. In the background it has no
    /// terminal; of the environment it keeps what `env` says.
    pub(super) fn start(settings: &Process) -> Result<Self> {
        let (own, other) = UnixStream::pair().context("socketpair() failed")?;
        // Whatever may fail comes before it is there.
        let failed = "the worker process cannot be spoken to";
        let channel = Channel::new(own, MOST).context(failed)?;
        let pulse = Arc::<Pulse>::default();
        let answers = listen(channel.try_clone().context(failed)?, Arc::clone(&pulse))?;
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
        Ok(Self { process, channel, answers, pulse, started: Instant::now() })
    }

    /// Has a configuration built; where that fails, the worker goes on as it was.
    pub(super) async fn prepare(&mut self, source: &Source, ground: &Ground) -> Result<()> {
        // An answer that came too late is none to this.
        while self.answers.try_recv().is_ok() {}
        let sent = parcel::send(&self.channel, order::BUILD, source, ground);
        sent.context("the worker process does not take the configuration")?;
        match timeout(PATIENCE, self.answers.recv()).await {
            Ok(Some(Reply::Built(built))) => built.map_err(|fault| anyhow!("{fault}")),
            Ok(Some(_)) => bail!("the worker process talks nonsense"),
            Ok(None) => bail!("the worker process has ended while it built the configuration"),
            Err(_) => bail!("the worker process has not built the configuration in 60 seconds"),
        }
    }

    /// Lets what was built hold; ready when it does for every request from then on.
    pub(super) async fn commit(&mut self) -> Result<()> {
        self.channel.send(order::COMMIT, &[], &[]).context("the worker process is deaf")?;
        match timeout(COMMITMENT, self.answers.recv()).await {
            Ok(None) => bail!("the worker process has ended while it took up the configuration"),
            // It has the order, and goes by it when it can.
            _ => Ok(()),
        }
    }

    /// Hands over logs that were opened anew.
    pub(super) fn replace_logs(&self, logs: &LogFiles) -> io::Result<()> {
        parcel::send_logs(&self.channel, order::LOGS, logs)
    }

    /// Orders it to end, while another serves; ready when it takes no more connections.
    pub(super) async fn leave(&mut self) -> io::Result<()> {
        while self.answers.try_recv().is_ok() {}
        self.order(State::Leaving)?;
        // It has the order, and goes by it when it can.
        let _ = timeout(COMMITMENT, self.answers.recv()).await;
        Ok(())
    }

    /// Orders it to end.
    pub(super) fn order(&self, state: State) -> io::Result<()> {
        match state {
            State::Running => Ok(()),
            State::Leaving => self.channel.send(order::LEAVE, &[], &[]),
            State::Draining => self.channel.send(order::DRAIN, &[], &[]),
            State::Stopping => self.channel.send(order::STOP, &[], &[]),
        }
    }

    /// What is told of it; `None` where it does not answer.
    pub(super) async fn numbers(&mut self) -> Option<Numbers> {
        while self.answers.try_recv().is_ok() {}
        self.channel.send(order::NUMBERS, &[], &[]).ok()?;
        match timeout(Duration::from_secs(2), self.answers.recv()).await {
            Ok(Some(Reply::Numbers(numbers))) => Some(numbers),
            _ => None,
        }
    }

    /// The newest lines of its logs in memory; `None` where it does not answer.
    pub(super) async fn log(&mut self) -> Option<Vec<u8>> {
        while self.answers.try_recv().is_ok() {}
        self.channel.send(order::LOG, &[], &[]).ok()?;
        match timeout(Duration::from_secs(2), self.answers.recv()).await {
            Ok(Some(Reply::Log(text))) => Some(text),
            _ => None,
        }
    }

    /// What it knows of clients and servers; `None` where it does not answer.
    pub(super) async fn memory(&mut self) -> Option<Memory> {
        self.ask(order::MEMORY, Duration::from_secs(2)).await
    }

    /// Ways to it, and to those who serve beside it; `None` where it does not answer.
    pub(super) async fn ways(&mut self) -> Option<Memory> {
        self.ask(order::WAYS, Duration::from_secs(1)).await
    }

    async fn ask(&mut self, order: u8, patience: Duration) -> Option<Memory> {
        while self.answers.try_recv().is_ok() {}
        self.channel.send(order, &[], &[]).ok()?;
        match timeout(patience, self.answers.recv()).await {
            Ok(Some(Reply::Memory(memory))) => Some(memory),
            _ => None,
        }
    }

    /// How often its loops had beaten when it was heard of last; it is asked anew, unless it still
    /// owes an answer.
    pub(super) fn beats(&self) -> u64 {
        let beats = self.pulse.beats.load(Ordering::Relaxed);
        if !self.pulse.asked.swap(true, Ordering::Relaxed) {
            // One that is deaf does not beat.
            let _ = self.channel.send(order::BEATS, &[], &[]);
        }
        beats
    }

    /// Has it end at once; its end is heard of.
    pub(super) fn kill(&mut self) {
        // One that has ended already is heard of, too.
        let _ = self.process.kill();
    }

    /// Whether it is no more.
    pub(super) fn has_ended(&mut self) -> bool {
        self.process.try_wait().is_ok_and(|ended| ended.is_some())
    }

    /// Ready when it is no more.
    pub(super) async fn ended(&mut self) {
        while self.answers.recv().await.is_some() {}
    }

    /// Ends it, if it has not ended yet, and says how it did.
    pub(super) fn end(&mut self) -> io::Result<ExitStatus> {
        // Without effect on one that has ended: it is not waited for yet.
        let _ = self.process.kill();
        self.process.wait()
    }

    /// Its number.
    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// How long it has lived.
    pub(super) fn age(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Reads what the worker says on a thread of its own. The receiver is closed when the worker ends.
fn listen(channel: Channel, pulse: Arc<Pulse>) -> Result<UnboundedReceiver<Reply>> {
    let (sender, receiver) = unbounded_channel();
    let read = move || {
        while let Ok(message) = channel.receive() {
            let answer = match (message.kind, message.fields.as_slice()) {
                (answer::BUILT, _) => Reply::Built(Ok(())),
                (answer::FAULT, [text, ..]) => {
                    Reply::Built(Err(String::from_utf8_lossy(text).into_owned()))
                }
                (answer::COMMITTED, _) => Reply::Committed,
                (
                    answer::NUMBERS,
                    [accepted, active, requests, turned_away, upstreams, each @ ..],
                ) => Reply::Numbers(Numbers {
                    accepted: number(accepted),
                    active: number(active),
                    requests: number(requests),
                    turned_away: number(turned_away),
                    upstreams: printable(upstreams),
                    each: each.iter().map(|field| number(field)).collect(),
                }),
                (answer::LOG, [text]) => Reply::Log(text.clone()),
                (answer::MEMORY, [mark]) => Reply::Memory(Memory::of(Some(mark), message.files)),
                (answer::BEATS, [beats]) => {
                    pulse.beats.store(number(beats), Ordering::Relaxed);
                    pulse.asked.store(false, Ordering::Relaxed);
                    continue;
                }
                _ => continue,
            };
            if sender.send(answer).is_err() {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().name("worker process".to_owned());
    thread.spawn(read).context("a thread cannot be started")?;
    Ok(receiver)
}

/// A text that is shown on a terminal.
fn printable(field: &[u8]) -> String {
    let text = String::from_utf8_lossy(field);
    text.chars().filter(|char| *char == '\n' || !char.is_control()).collect()
}

fn number(field: &[u8]) -> u64 {
    field.try_into().map_or(0, u64::from_le_bytes)
}
