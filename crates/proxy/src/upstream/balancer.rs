//! The servers of a group, and which of them a request asks: no clock, no sockets.
//!
//! nginx: `ngx_http_upstream_get_round_robin_peer` and its kin for other methods, and their `free`.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tidegate_config::http::upstream::balance::{Answered, Method};

use super::peer::{Outcome, Peer, Settings};
use super::ring::Ring;
use super::tried::{Lots, Tried};
use super::{hash, ip_hash, least_conn, least_time, random, round_robin};
use crate::connect::Address;

/// The servers of a group: the ones asked first, and those for when none of them is left.
#[derive(Debug, Default)]
pub struct Balancer {
    /// Those asked first.
    pub primary: Vec<Peer>,
    /// Those marked `backup`.
    pub backup: Vec<Peer>,
    method: Method,
    ring: Ring,
}

/// So many lots are drawn in vain before peers are asked in turn.
const MISSES: u32 = 20;

impl Balancer {
    /// A group without peers. The servers are the lines of the configuration as written, with their
    /// weights; 0 for those marked `backup`.
    pub fn new<'a>(method: Method, servers: impl Iterator<Item = (&'a str, u32)>) -> Self {
        let ring = match method {
            Method::Hash { consistent: true, .. } => Ring::new(servers),
            _ => Ring::default(),
        };
        Self { method, ring, ..Self::default() }
    }

    /// A request begins; the key is what `ip_hash` and `hash` choose by.
    pub fn begin(&self, tried: &mut Tried, key: Bytes) {
        tried.lots = self.lots(key);
    }

    fn lots(&self, key: Bytes) -> Lots {
        match self.method {
            Method::IpHash => Lots::Address(ip_hash::Numbers::new(key)),
            Method::Hash { .. } if key.is_empty() => Lots::None,
            Method::Hash { consistent: true, .. } => Lots::Ring(self.ring.find(&key)),
            Method::Hash { .. } => Lots::Key(hash::Numbers::new(key)),
            Method::Random { two: true, .. } => Lots::Two,
            Method::Random { two: false, .. } => Lots::Chance,
            Method::RoundRobin | Method::LeastConn | Method::LeastTime(_) => Lots::None,
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Peer> {
        self.primary.iter().chain(&self.backup)
    }

    /// All of them, to be changed.
    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Peer> {
        self.primary.iter_mut().chain(&mut self.backup)
    }

    /// How many peers a request may try (nginx: `tries`): those neither down nor found unwell.
    pub fn tries(&self) -> usize {
        self.all().filter(|peer| !(peer.settings.down || peer.health.is_out())).count()
    }

    /// Whether there is no choice. Such a peer is never ejected.
    pub fn is_single(&self) -> bool {
        self.primary.len() == 1 && self.backup.is_empty()
    }

    /// Whether every peer that is not marked down has been tried.
    pub fn has_asked_all(&self, tried: &Tried) -> bool {
        self.all().all(|peer| {
            let Settings { down, drain, .. } = peer.settings;
            down || drain || peer.health.is_out() || tried.has(peer.id)
        })
    }

    /// Whether some peer would be asked if its checks said so.
    pub fn awaits_checks(&self) -> bool {
        self.all().any(|peer| peer.health.is_out() && !(peer.settings.down || peer.settings.drain))
    }

    /// Whether some peer has all the connections it may have.
    pub fn is_held_up(&self) -> bool {
        self.primary.iter().chain(&self.backup).any(|peer| !peer.settings.down && peer.is_full())
    }

    /// Whether another peer than this one could be asked now.
    fn has_others(&self, id: u64, now: Instant) -> bool {
        self.all().any(|peer| {
            let Settings { down, drain, .. } = peer.settings;
            peer.id != id && !down && !drain && !peer.health.is_out() && !peer.is_ejected(now)
        })
    }

    /// The next peer to ask; none where all are down, full, ejected or tried.
    pub fn pick(&mut self, tried: &mut Tried, now: Instant) -> Option<(u64, Address)> {
        tried.ids.extend(tried.latest.take());
        let id = self.choose(tried, now).or_else(|| self.ejected(tried))?;
        let picked = self.peer(id)?;
        picked.begin(now);
        tried.latest = Some(id);
        Some((id, picked.address.clone()))
    }

    fn choose(&mut self, tried: &mut Tried, now: Instant) -> Option<u64> {
        if self.is_single() {
            let peer = self.primary.first()?;
            return peer.is_open().then_some(peer.id);
        }
        if let Some(id) = self.kept(tried, now) {
            return Some(id);
        }
        if !tried.on_backup {
            if self.primary.len() > 1
                && let Some(id) = self.draw(tried, now).or_else(|| self.around(tried, now))
            {
                return Some(id);
            }
            if let Some(peer) = in_turn(&self.method, &mut self.primary, &tried.ids, now) {
                return Some(peer.id);
            }
            tried.on_backup = true;
            return self.choose(tried, now);
        }
        in_turn(&self.method, &mut self.backup, &tried.ids, now).map(|peer| peer.id)
    }

    /// The peer that a client is kept with, if it is among those that are asked now; where peers take
    /// turns this was one.
    fn kept(&mut self, tried: &Tried, now: Instant) -> Option<u64> {
        let sid = tried.sid.as_ref()?;
        let peers = if tried.on_backup { &mut self.backup } else { &mut self.primary };
        let is_own = |peer: &&Peer| peer.sid.as_bytes() == sid;
        let mut own = peers.iter().filter(is_own);
        let id = own.find(|peer| peer.is_ready_for_its_own(&tried.ids, now))?.id;
        if matches!(self.method, Method::RoundRobin | Method::Hash { .. })
            && matches!(tried.lots, Lots::None)
        {
            round_robin::keep(peers, id, &tried.ids, now);
        }
        Some(id)
    }

    /// Draws lots until one falls on a peer that may be asked.
    fn draw(&self, tried: &mut Tried, now: Instant) -> Option<u64> {
        let mut first: Option<&Peer> = None;
        while tried.misses <= MISSES {
            let number = match &mut tried.lots {
                Lots::None | Lots::Ring(_) => return None,
                Lots::Address(numbers) => numbers.next(),
                Lots::Key(numbers) => numbers.next(),
                Lots::Chance | Lots::Two => random::number(),
            };
            let drawn =
                random::at(&self.primary, number).filter(|peer| peer.is_ready(&tried.ids, now));
            match (drawn, first) {
                (Some(peer), None) if matches!(tried.lots, Lots::Two) => first = Some(peer),
                (Some(peer), None) => return Some(peer.id),
                (Some(peer), Some(first)) if peer.id != first.id => {
                    let by_time = matches!(self.method, Method::Random { time: Some(_), .. });
                    let expected = |peer| least_time::Expected::of(peer, now);
                    if by_time && expected(first).compare(&expected(peer)).is_lt() {
                        return Some(first.id);
                    }
                    let lighter = if by_time { peer } else { random::lighter(first, peer) };
                    return Some(lighter.id);
                }
                _ => {}
            }
            tried.misses += 1;
        }
        None
    }

    /// Goes around the ring until a point is of a peer that may be asked.
    fn around(&mut self, tried: &mut Tried, now: Instant) -> Option<u64> {
        while let Lots::Ring(point) = &mut tried.lots
            && tried.misses <= MISSES
        {
            let server = self.ring.server(*point)?;
            let peers = self.primary.iter_mut();
            let its = peers.filter(|peer| self.ring.is_same(peer.server, server));
            if let Some(peer) = round_robin::next(its, &tried.ids, now) {
                return Some(peer.id);
            }
            *point += 1;
            tried.misses += 1;
        }
        None
    }

    /// One that was ejected, for a request that has none left and would end with nginx's 502: it may
    /// be back by now.
    fn ejected(&self, tried: &Tried) -> Option<u64> {
        let vain = tried.ids.is_empty() && !tried.desperate;
        let asked = |peer: &Peer| vain || tried.ids.contains(&peer.id);
        self.all().find(|peer| !asked(peer) && peer.is_open()).map(|peer| peer.id)
    }

    fn peer(&mut self, id: u64) -> Option<&mut Peer> {
        // They stand in the order in which they came, most often with none missing.
        let first = self.primary.first().map_or(0, |first| first.id);
        let place = usize::try_from(id.wrapping_sub(first)).unwrap_or(usize::MAX);
        match self.primary.get(place) {
            Some(peer) if peer.id == id => self.primary.get_mut(place),
            _ => self.all_mut().find(|peer| peer.id == id),
        }
    }

    /// Ends a try; says whether the peer is ejected by it. The last one that is left never is.
    pub fn free(&mut self, id: u64, outcome: Outcome, now: Instant) -> bool {
        let last = !self.has_others(id, now);
        let Some(peer) = self.peer(id) else { return false };
        peer.connections = peer.connections.saturating_sub(1);
        match outcome {
            _ if last => return false,
            Outcome::Failed => return peer.fail(now),
            Outcome::Answered | Outcome::Passed => peer.answer(now),
        }
        false
    }

    /// The head of an answer has come after so long, or its end.
    pub fn took(&mut self, id: u64, time: Duration, when: Answered) {
        let (Method::LeastTime(counts) | Method::Random { time: Some(counts), .. }) = self.method
        else {
            return;
        };
        if let Some(peer) = self.peer(id).filter(|_| counts == when) {
            peer.took(time);
        }
    }

    /// Whether times are of use.
    pub fn is_timed(&self) -> bool {
        matches!(self.method, Method::LeastTime(_) | Method::Random { time: Some(_), .. })
    }
}

/// The peer whose turn it is.
fn in_turn<'a>(
    method: &Method,
    peers: &'a mut [Peer],
    tried: &[u64],
    now: Instant,
) -> Option<&'a mut Peer> {
    match method {
        Method::LeastConn => least_conn::next(peers, tried, now),
        Method::LeastTime(_) => least_time::next(peers, tried, now),
        _ => round_robin::next(peers.iter_mut(), tried, now),
    }
}

#[cfg(test)]
mod tests;
