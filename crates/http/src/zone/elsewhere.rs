//! What is known of the places that another process holds in a zone, and what it is still to be told
//! of those held here.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use super::connections::{Places, needed};

/// The number of another process, for as long as it is told and heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour(pub(super) u64);

/// A zone as another process knows it.
#[derive(Debug)]
pub(super) struct Elsewhere {
    neighbour: Neighbour,
    /// How many places clients hold there, and the bytes that their entries take.
    places: HashMap<Box<[u8]>, u32>,
    taken: u64,
    /// Clients of whom it has not been told what is new, and the bytes that their entries take.
    untold: HashSet<Arc<[u8]>>,
    untold_bytes: u64,
    /// Whether it is to be told of all clients, and to forget what it was told before.
    all: bool,
    /// Whether it is to be asked for all that it holds: it may have told before the zone was here.
    asks: bool,
    /// Wakes whoever tells it.
    bell: SyncSender<()>,
}

/// Clients and the places that they hold; and whether there are no others.
pub(super) type News = (bool, Vec<(Arc<[u8]>, u32)>);

impl Elsewhere {
    /// One that knows nothing yet, and of which nothing is known.
    pub(super) fn new(neighbour: Neighbour, bell: SyncSender<()>) -> Self {
        let (places, untold) = (HashMap::new(), HashSet::new());
        Self { neighbour, places, taken: 0, untold, untold_bytes: 0, all: true, asks: false, bell }
    }

    /// It is to be asked for all that it holds.
    pub(super) fn ask(&mut self) {
        self.asks = true;
        self.wake();
    }

    /// Whether it is to be asked for all that it holds; that counts as done.
    pub(super) fn asks(&mut self) -> bool {
        std::mem::take(&mut self.asks)
    }

    /// It asks for all that is held here.
    pub(super) fn asked(&mut self) {
        self.all = true;
        self.wake();
    }

    fn wake(&self) {
        // Whoever tells it is awake already, or gone.
        let _ = self.bell.try_send(());
    }

    /// Whether it is this one.
    pub(super) fn is(&self, neighbour: Neighbour) -> bool {
        self.neighbour == neighbour
    }

    /// How many places a client holds there.
    pub(super) fn holds(&self, key: &[u8]) -> u32 {
        self.places.get(key).copied().unwrap_or(0)
    }

    /// It is to be told of a client. Where it does not listen, what is kept for it is bounded.
    pub(super) fn changed(&mut self, key: &Arc<[u8]>, room: u64) {
        if !self.all && self.untold.insert(Arc::clone(key)) {
            self.untold_bytes += needed(key);
            if self.untold_bytes > room {
                self.all = true;
                self.untold = HashSet::new();
            }
        }
        self.wake();
    }

    /// Whether it has been told of everything.
    pub(super) fn knows_all(&self) -> bool {
        !self.all && self.untold.is_empty()
    }

    /// How many clients it is still to be told of.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.untold.len()
    }

    /// How many clients are known there.
    #[cfg(test)]
    pub(super) fn known(&self) -> usize {
        self.places.len()
    }

    /// What was said of it is forgotten.
    pub(super) fn forget(&mut self) {
        self.places = HashMap::new();
        self.taken = 0;
    }

    /// It says how many places a client holds there. What a zone has no room for is not believed.
    pub(super) fn hear(&mut self, key: &[u8], count: u32, room: u64) {
        let bytes = needed(key);
        if count == 0 {
            if self.places.remove(key).is_some() {
                self.taken = self.taken.saturating_sub(bytes);
            }
        } else if let Some(known) = self.places.get_mut(key) {
            *known = count;
        } else if self.taken + bytes <= room {
            self.taken += bytes;
            self.places.insert(key.into(), count);
        }
    }
}

impl Places {
    /// What another process has not been told of yet; it is told now.
    pub(super) fn news(&mut self, neighbour: Neighbour) -> Option<News> {
        let Self { here, elsewhere, .. } = self;
        let other = elsewhere.iter_mut().find(|other| other.is(neighbour))?;
        if other.knows_all() {
            return None;
        }
        let all = std::mem::take(&mut other.all);
        let untold = std::mem::take(&mut other.untold);
        other.untold_bytes = 0;
        let news = if all {
            here.iter().map(|(key, count)| (Arc::clone(key), *count)).collect()
        } else {
            let count = |key: &Arc<[u8]>| here.get(key).copied().unwrap_or(0);
            untold.into_iter().map(|key| (Arc::clone(&key), count(&key))).collect()
        };
        Some((all, news))
    }
}
