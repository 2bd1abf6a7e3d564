//! What one request has tried of a group of servers.

use bytes::Bytes;

use super::{hash, ip_hash};

/// What one request has tried so far.
#[derive(Debug, Default)]
pub struct Tried {
    /// Those that were tried, but for the latest.
    pub(super) ids: Vec<u64>,
    /// The peer that is being tried; most requests try no other.
    pub(super) latest: Option<u64>,
    /// Whether those marked `backup` are asked by now.
    pub(super) on_backup: bool,
    /// How it comes to the peers.
    pub(super) lots: Lots,
    /// How many lots fell on peers that could not be asked.
    pub(super) misses: u32,
    /// What the peer is called that the client is kept with.
    pub(super) sid: Option<Bytes>,
    /// Whether those that are ejected are asked though nobody else was.
    pub(super) desperate: bool,
}

impl Tried {
    /// The client is kept with the peer that is called so.
    pub fn keep_with(&mut self, sid: Option<Bytes>) {
        self.sid = sid;
    }

    /// Whether a peer has been tried.
    pub(super) fn has(&self, id: u64) -> bool {
        self.latest == Some(id) || self.ids.contains(&id)
    }

    /// From now on the ejected are asked, too.
    pub fn asks_the_ejected(&mut self) {
        self.desperate = true;
    }
}

/// How a request comes to the peers before it asks them in turn.
#[derive(Debug, Default)]
pub(super) enum Lots {
    /// Not at all.
    #[default]
    None,
    /// The numbers of an address.
    Address(ip_hash::Numbers),
    /// The numbers of a key.
    Key(hash::Numbers),
    /// The next point of the ring.
    Ring(usize),
    /// By chance.
    Chance,
    /// The less busy of two that chance has drawn.
    Two,
}
