//! What a worker and the others know of each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::accept::Taken;

/// What a worker and the others know of each other.
#[derive(Debug)]
pub(crate) struct Post {
    connections: AtomicU32,
    leaves: AtomicBool,
    beats: AtomicU32,
    given: UnboundedSender<Taken>,
    /// Told when one of its connections ends.
    pub(crate) closed: Notify,
}

impl Post {
    /// The post of a new worker, and what it is given there.
    pub(crate) fn new() -> (Arc<Self>, UnboundedReceiver<Taken>) {
        let (given, receiver) = unbounded_channel();
        let (connections, beats) = (AtomicU32::new(0), AtomicU32::new(0));
        let (leaves, closed) = (AtomicBool::new(false), Notify::new());
        (Arc::new(Self { connections, leaves, beats, given, closed }), receiver)
    }

    /// Its open connections, and those on their way to it.
    pub(crate) fn connections(&self) -> u32 {
        self.connections.load(Ordering::Relaxed)
    }

    /// It gets a connection.
    pub(crate) fn open(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection of its has ended.
    pub(crate) fn close(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
        self.closed.notify_one();
    }

    /// Has it serve a connection; it comes back where the worker takes no more.
    pub(crate) fn give(&self, taken: Taken) -> Result<(), Box<Taken>> {
        self.given.send(taken).map_err(|back| Box::new(back.0))
    }

    /// Its loop turns.
    pub(super) fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it was seen to.
    pub(crate) fn beats(&self) -> u32 {
        self.beats.load(Ordering::Relaxed)
    }

    /// It is to end with its last connection, while others go on.
    pub(crate) fn leave(&self) {
        self.leaves.store(true, Ordering::Relaxed);
    }

    /// Whether it is to end with its last connection.
    pub(crate) fn leaves(&self) -> bool {
        self.leaves.load(Ordering::Relaxed)
    }
}
