//! What the worker says, as it is heard.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context, Result};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::answer;
use crate::process::channel::{Channel, Message};
use crate::process::memory::Memory;
use crate::process::serving::Numbers;

/// What the worker says, and to which question.
pub(super) struct Answer {
    /// The question's number; `None` where it was not asked.
    pub(super) number: Option<u64>,
    pub(super) reply: Reply,
}

/// What the worker says.
pub(super) enum Reply {
    /// A configuration was built, or why not.
    Built(Result<(), String>),
    /// What was built holds.
    Committed,
    /// It takes no more connections.
    Left,
    /// What has been counted.
    Numbers(Numbers),
    /// What logs in memory have.
    Log(Vec<u8>),
    /// What is known of clients and servers.
    Memory(Memory),
    /// Ways to it, and to those who serve beside it.
    Ways(Memory),
}

/// What is heard of its life.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// How often its loops have beaten.
    pub(super) beats: AtomicU64,
    /// Whether it has been asked, and has not answered yet.
    pub(super) asked: AtomicBool,
}

impl Reply {
    /// The kind of question that it is an answer to, by the message that answers it.
    pub(super) fn kind(&self) -> u8 {
        match self {
            Self::Built(_) => answer::BUILT,
            Self::Committed => answer::COMMITTED,
            Self::Left => answer::LEFT,
            Self::Numbers(_) => answer::NUMBERS,
            Self::Log(_) => answer::LOG,
            Self::Memory(_) => answer::MEMORY,
            Self::Ways(_) => answer::WAYS,
        }
    }

    /// What a message says; `None` where it is nonsense.
    fn of(message: Message) -> Option<Self> {
        Some(match (message.kind, message.fields.as_slice()) {
            (answer::BUILT, _) => Self::Built(Ok(())),
            (answer::FAULT, [text, ..]) => {
                Self::Built(Err(String::from_utf8_lossy(text).into_owned()))
            }
            (answer::COMMITTED, _) => Self::Committed,
            (answer::LEFT, _) => Self::Left,
            (answer::NUMBERS, [accepted, active, requests, turned_away, upstreams, each @ ..]) => {
                Self::Numbers(Numbers {
                    accepted: number(accepted),
                    active: number(active),
                    requests: number(requests),
                    turned_away: number(turned_away),
                    upstreams: printable(upstreams),
                    each: each.iter().map(|field| number(field)).collect(),
                })
            }
            (answer::LOG, [text]) => Self::Log(text.clone()),
            (answer::MEMORY, [mark]) => Self::Memory(Memory::of(Some(mark), message.files)),
            (answer::WAYS, [mark]) => Self::Ways(Memory::of(Some(mark), message.files)),
            _ => return None,
        })
    }
}

/// Reads what the worker says on a thread of its own. The receiver is closed when the worker ends.
pub(super) fn listen(channel: Channel, pulse: Arc<Pulse>) -> Result<UnboundedReceiver<Answer>> {
    let (sender, receiver) = unbounded_channel();
    let read = move || {
        while let Ok(mut message) = channel.receive() {
            let asked = message.fields.pop().and_then(|field| field.try_into().ok());
            let number_of_question = asked.map(u64::from_le_bytes);
            if let (answer::BEATS, [beats]) = (message.kind, message.fields.as_slice()) {
                pulse.beats.store(number(beats), Ordering::Relaxed);
                pulse.asked.store(false, Ordering::Relaxed);
            } else if let Some(reply) = Reply::of(message)
                && sender.send(Answer { number: number_of_question, reply }).is_err()
            {
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
