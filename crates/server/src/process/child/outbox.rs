//! What the worker is told goes out on a thread of its own: one that does not listen holds up nobody
//! but those who ask it, and hears all of it, whole and in order, when it listens again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};

use anyhow::{Context, Result};

use crate::process::channel::Channel;
use crate::process::parcel::Parcel;

/// The most bytes that may wait where more is asked.
const MOST: usize = 1 << 20;

/// Messages on their way to the worker.
pub(super) struct Outbox {
    sender: Sender<Parcel>,
    /// How many bytes wait behind those that are being sent.
    waiting: Arc<AtomicUsize>,
}

impl Outbox {
    /// Sends over a channel, until something cannot be sent.
    pub(super) fn new(to: Channel) -> Result<Self> {
        let (sender, parcels) = channel::<Parcel>();
        let waiting = Arc::<AtomicUsize>::default();
        let left = Arc::clone(&waiting);
        let send = move || {
            for parcel in parcels {
                // Before the worker can have heard it, and is asked again.
                left.fetch_sub(parcel.length(), Ordering::Relaxed);
                if parcel.send(&to).is_err() {
                    // A worker that missed a part would take the rest for something else: it is to see
                    // the end, and so is who listens to it.
                    to.close();
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("outbox".to_owned());
        thread.spawn(send).context("a thread cannot be started")?;
        Ok(Self { sender, waiting })
    }

    /// Tells the worker something, as soon as it listens, whatever waits already.
    pub(super) fn tell(&self, parcel: Parcel) -> io::Result<()> {
        self.waiting.fetch_add(parcel.length(), Ordering::Relaxed);
        self.sender.send(parcel).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Asks it something; an error where too much waits already.
    pub(super) fn ask(&self, parcel: Parcel) -> io::Result<()> {
        if self.waiting.load(Ordering::Relaxed) > MOST {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.tell(parcel)
    }
}
