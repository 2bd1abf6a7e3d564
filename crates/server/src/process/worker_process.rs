//! The worker process: it serves, with no rights but its user's.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use anyhow::{Context, Result};
use tidegate_config::http::error_log::Level;
use tidegate_http::log::memory;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::channel::{Channel, LOST, Message};
use super::child::{MARK, answer, order};
use super::memory::Memory;
use super::serving::{Numbers, Serving};
use super::signal::{Signals, Word};
use super::worker::State;
use super::{EMERG, limit, parcel, user};

/// The most bytes of a configuration and its files.
pub(super) const MOST: u64 = 1 << 32;

/// What is told when the master has died.
const ALONE: &str = "the master process has ended; this one serves until it is told to end";

/// Whether this is the worker process.
pub(crate) fn is_this() -> bool {
    std::env::var_os(MARK).is_some()
}

/// What the master asks; or an order, of which it is told unasked.
struct Question<'a> {
    channel: &'a Channel,
    /// Its number, as it came.
    number: Vec<u8>,
}

impl<'a> Question<'a> {
    /// Takes the number from a message.
    fn of(channel: &'a Channel, message: &mut Message) -> Self {
        Self { channel, number: message.fields.pop().unwrap_or_default() }
    }

    fn answer(&self, kind: u8, fields: &[&[u8]], files: &[BorrowedFd<'_>]) -> io::Result<()> {
        let fields: Vec<&[u8]> = fields.iter().copied().chain([self.number.as_slice()]).collect();
        self.channel.send(kind, &fields, files)
    }

    /// Tells why a configuration could not be built.
    fn tell_fault(&self, error: &anyhow::Error) -> io::Result<()> {
        let text = format!("{error:#}");
        self.answer(answer::FAULT, &[answer::fitting(&text, EMERG).as_bytes()], &[])
    }

    /// Tells what has been counted.
    fn tell_numbers(&self, numbers: Numbers) -> io::Result<()> {
        let Numbers { accepted, active, requests, turned_away, upstreams, each } = numbers;
        let counts = [accepted, active, requests, turned_away].map(u64::to_le_bytes);
        let each: Vec<[u8; 8]> = each.into_iter().map(u64::to_le_bytes).collect();
        let upstreams = answer::fitting(&upstreams, "  ");
        let mut fields: Vec<&[u8]> = counts.iter().map(<[u8; 8]>::as_slice).collect();
        fields.push(upstreams.as_bytes());
        fields.extend(each.iter().map(<[u8; 8]>::as_slice));
        self.answer(answer::NUMBERS, &fields, &[])
    }
}

/// Serves what the master says, which is at the other end of standard input.
pub(crate) fn run() -> Result<()> {
    let stream = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    let channel = Channel::new(stream, MOST)?;
    let mut first = channel.receive().context("the master is gone")?;
    let question = Question::of(&channel, &mut first);
    match start(first) {
        Ok((runtime, signals, serving)) => {
            question.answer(answer::BUILT, &[], &[])?;
            let messages = listen(channel.try_clone()?)?;
            runtime.block_on(follow(&channel, messages, signals, serving))
        }
        Err(error) => {
            // The master tells it.
            question.tell_fault(&error)?;
            Ok(())
        }
    }
}

/// Gives up root's rights, and builds the first configuration.
fn start(first: Message) -> Result<(tokio::runtime::Runtime, Signals, Serving)> {
    let ground = parcel::receive(first)?;
    let process = &ground.config.main.process;
    let refused = limit::apply(process);
    user::become_worker(&ground.config)?;
    limit::enter_folder(process)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let signals = {
        let _guard = runtime.enter();
        Signals::new()?
    };
    let serving = Serving::build(&ground)?;
    for text in &refused {
        serving.tell(Level::Alert, text);
    }
    Ok((runtime, signals, serving))
}

async fn follow(
    channel: &Channel,
    mut messages: UnboundedReceiver<Message>,
    mut signals: Signals,
    mut serving: Serving,
) -> Result<()> {
    let mut state = State::Running;
    let mut is_led = true;
    while state != State::Stopping {
        tokio::select! {
            message = messages.recv(), if is_led => {
                if let Some(message) = message {
                    act(channel, message, &mut serving, &mut state).await?;
                } else {
                    is_led = false;
                    serving.tell(Level::Alert, ALONE);
                }
            }
            word = signals.next() => match word {
                Word::Stop | Word::Interrupt => state = State::Stopping,
                Word::Quit => state = State::Draining,
                // They are for the master; a terminal sends some to all.
                Word::Reload | Word::Reopen | Word::Upgrade | Word::Rest | Word::Child => continue,
            },
            () = serving.ended(), if state != State::Running => break,
        }
        if state != State::Running {
            serving.order(state);
        }
    }
    serving.end();
    Ok(())
}

async fn act(
    channel: &Channel,
    mut message: Message,
    serving: &mut Serving,
    state: &mut State,
) -> Result<()> {
    let question = Question::of(channel, &mut message);
    match message.kind {
        order::BUILD => {
            let built = parcel::receive(message).and_then(|ground| serving.prepare(&ground));
            // A master that does not take the answer is gone, which is noticed at its next message.
            let _ = match built {
                Ok(()) => question.answer(answer::BUILT, &[], &[]),
                Err(error) => question.tell_fault(&error),
            };
        }
        order::FORGET => serving.forget(),
        order::NUMBERS => {
            let _ = question.tell_numbers(serving.numbers());
        }
        order::LOG => {
            let _ = question.answer(answer::LOG, &[&memory::kept(answer::ROOM)], &[]);
        }
        order::COMMIT => {
            serving.commit()?;
            serving.adopted().await;
            let _ = question.answer(answer::COMMITTED, &[], &[]);
        }
        order::MEMORY => {
            let known = serving.memory();
            let _ = question.answer(answer::MEMORY, &[&known.mark()], &known.files());
        }
        order::WAYS => {
            let known = Memory { file: None, ways: serving.ways() };
            let _ = question.answer(answer::WAYS, &[&known.mark()], &known.files());
        }
        order::BEATS => {
            let _ = question.answer(answer::BEATS, &[&serving.beats().to_le_bytes()], &[]);
        }
        order::LOGS if message.whole => serving.replace_logs(&parcel::logs(message)),
        order::LOGS => serving.tell(Level::Alert, &format!("logs are not opened anew: {LOST}")),
        order::LEAVE => {
            let was = std::mem::replace(state, State::Leaving);
            if was == State::Running {
                serving.order(*state);
                serving.adopted().await;
            }
            let _ = question.answer(answer::LEFT, &[], &[]);
        }
        order::DRAIN => *state = State::Draining,
        order::STOP => *state = State::Stopping,
        _ => {}
    }
    Ok(())
}

/// Reads what the master says on a thread of its own. The receiver is closed when the master ends.
fn listen(channel: Channel) -> Result<UnboundedReceiver<Message>> {
    let (sender, receiver) = unbounded_channel();
    let read = move || {
        while let Ok(message) = channel.receive() {
            if sender.send(message).is_err() {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().name("master".to_owned());
    thread.spawn(read).context("a thread cannot be started")?;
    Ok(receiver)
}
