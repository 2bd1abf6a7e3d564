//! nginx's smooth weighted round robin, with what it remembers of failures: no clock, no sockets.
//!
//! nginx: `ngx_http_upstream_get_round_robin_peer` and its `free`. Peers are told apart by an id
//! of their own, for their list may change between a pick and its end.

use std::time::{Duration, Instant};

use crate::connect::Address;

/// What the configuration says of one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its share of the requests (nginx: `weight`).
    pub weight: u32,
    /// So many failures within `fail_timeout` eject it; 0 never does.
    pub max_fails: u32,
    /// In which time failures are counted, and for how long it is ejected.
    pub fail_timeout: Duration,
    /// How many connections it may have at a time; 0 is no limit.
    pub max_conns: u32,
    /// Whether it is marked `down`.
    pub down: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            weight: 1,
            max_fails: 1,
            fail_timeout: Duration::from_secs(10),
            max_conns: 0,
            down: false,
        }
    }
}

/// One address that can be asked.
#[derive(Debug)]
pub struct Peer {
    /// Tells it from all others of its group, for ever.
    pub id: u64,
    /// The number of its `server` line; a name there may stand for several peers.
    pub server: usize,
    /// Where it is.
    pub address: Address,
    /// What the configuration says.
    pub settings: Settings,
    effective: i64,
    current: i64,
    fails: u32,
    /// The last failure.
    accessed: Option<Instant>,
    /// The last failure, or the last attempt after the time of ejection.
    checked: Option<Instant>,
    connections: u32,
}

impl Peer {
    /// A peer without a past.
    pub fn new(id: u64, server: usize, address: Address, settings: Settings) -> Self {
        let effective = settings.weight.into();
        Self {
            id,
            server,
            address,
            settings,
            effective,
            current: 0,
            fails: 0,
            accessed: None,
            checked: None,
            connections: 0,
        }
    }

    fn is_full(&self) -> bool {
        self.settings.max_conns != 0 && self.connections >= self.settings.max_conns
    }

    fn is_ejected(&self, now: Instant) -> bool {
        let Settings { max_fails, fail_timeout, .. } = self.settings;
        max_fails != 0
            && self.fails >= max_fails
            && self.checked.is_some_and(|at| now.duration_since(at) <= fail_timeout)
    }

    /// Remembers a failure; says whether it ejects the peer.
    fn fail(&mut self, now: Instant) -> bool {
        self.fails = self.fails.saturating_add(1);
        self.accessed = Some(now);
        self.checked = Some(now);
        let Settings { weight, max_fails, .. } = self.settings;
        if max_fails == 0 {
            return false;
        }
        self.effective = (self.effective - i64::from(weight / max_fails)).max(0);
        self.fails >= max_fails
    }
}

/// The servers of a group: the ones asked first, and those for when none of them is left.
#[derive(Debug, Default)]
pub struct RoundRobin {
    /// Those asked first.
    pub primary: Vec<Peer>,
    /// Those marked `backup`.
    pub backup: Vec<Peer>,
}

/// What one request has tried so far.
#[derive(Debug, Default)]
pub struct Tried {
    ids: Vec<u64>,
    on_backup: bool,
}

/// How a try at a peer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It answered.
    Answered,
    /// It answered, and `*_next_upstream` passes over what it said without blame: 403, 404.
    Passed,
    /// It failed.
    Failed,
}

impl RoundRobin {
    /// How many peers a request may try (nginx: `tries`): those not down.
    pub fn tries(&self) -> usize {
        self.primary.iter().chain(&self.backup).filter(|peer| !peer.settings.down).count()
    }

    /// Whether there is no choice. Such a peer is never ejected.
    pub fn is_single(&self) -> bool {
        self.primary.len() == 1 && self.backup.is_empty()
    }

    /// Whether another peer than this one could be asked now.
    fn has_others(&self, id: u64, now: Instant) -> bool {
        let mut all = self.primary.iter().chain(&self.backup);
        all.any(|peer| peer.id != id && !peer.settings.down && !peer.is_ejected(now))
    }

    /// The next peer to ask; none where all are down, full, ejected or tried.
    pub fn pick(&mut self, tried: &mut Tried, now: Instant) -> Option<(u64, Address)> {
        let id = self.choose(tried, now).or_else(|| self.ejected(tried))?;
        let picked = self.peer(id)?;
        picked.connections += 1;
        tried.ids.push(id);
        Some((id, picked.address.clone()))
    }

    fn choose(&mut self, tried: &mut Tried, now: Instant) -> Option<u64> {
        if self.is_single() {
            let peer = self.primary.first()?;
            return (!peer.settings.down && !peer.is_full()).then_some(peer.id);
        }
        if !tried.on_backup {
            if let Some(peer) = best(&mut self.primary, &tried.ids, now) {
                return Some(peer.id);
            }
            tried.on_backup = true;
        }
        best(&mut self.backup, &tried.ids, now).map(|peer| peer.id)
    }

    /// One that was ejected, for a request that has none left and would end with nginx's 502: it may
    /// be back by now.
    fn ejected(&self, tried: &Tried) -> Option<u64> {
        let mut all = self.primary.iter().chain(&self.backup);
        let asked = |peer: &Peer| tried.ids.is_empty() || tried.ids.contains(&peer.id);
        all.find(|peer| !asked(peer) && !peer.settings.down && !peer.is_full()).map(|peer| peer.id)
    }

    fn peer(&mut self, id: u64) -> Option<&mut Peer> {
        self.primary.iter_mut().chain(&mut self.backup).find(|peer| peer.id == id)
    }

    /// Ends a try; says whether the peer is ejected by it. The last one that is left never is.
    pub fn free(&mut self, id: u64, outcome: Outcome, now: Instant) -> bool {
        let last = !self.has_others(id, now);
        let Some(peer) = self.peer(id) else { return false };
        peer.connections = peer.connections.saturating_sub(1);
        if last {
            return false;
        }
        if outcome == Outcome::Failed {
            return peer.fail(now);
        }
        // It answered after its time of ejection.
        if peer.accessed < peer.checked {
            peer.fails = 0;
        }
        false
    }
}

/// One step of the smooth weighted round robin.
fn best<'a>(peers: &'a mut [Peer], tried: &[u64], now: Instant) -> Option<&'a mut Peer> {
    let mut total = 0;
    let mut best: Option<&mut Peer> = None;
    for peer in peers {
        let out = peer.settings.down || peer.is_full() || peer.is_ejected(now);
        if out || tried.contains(&peer.id) {
            continue;
        }
        peer.current += peer.effective;
        total += peer.effective;
        if peer.effective < peer.settings.weight.into() {
            peer.effective += 1;
        }
        if best.as_ref().is_none_or(|best| peer.current > best.current) {
            best = Some(peer);
        }
    }
    let best = best?;
    best.current -= total;
    let timeout = best.settings.fail_timeout;
    if best.checked.is_none_or(|at| now.duration_since(at) > timeout) {
        best.checked = Some(now);
    }
    Some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(settings: &[Settings]) -> RoundRobin {
        let peer = |(id, settings): (usize, &Settings)| {
            let address = Address::Tcp(([127, 0, 0, 1], id as u16).into());
            Peer::new(id as u64, id, address, settings.clone())
        };
        RoundRobin { primary: settings.iter().enumerate().map(peer).collect(), backup: Vec::new() }
    }

    fn weights(weights: &[u32]) -> RoundRobin {
        let settings = |&weight: &u32| Settings { weight, ..Settings::default() };
        group(&weights.iter().map(settings).collect::<Vec<_>>())
    }

    fn pick(group: &mut RoundRobin, now: Instant) -> Option<u64> {
        group.pick(&mut Tried::default(), now).map(|(id, _)| id)
    }

    fn run(group: &mut RoundRobin, times: usize) -> Vec<u64> {
        let now = Instant::now();
        let mut ask = || {
            let id = pick(group, now).unwrap();
            group.free(id, Outcome::Answered, now);
            id
        };
        std::iter::from_fn(|| Some(ask())).take(times).collect()
    }

    #[test]
    fn weights_are_spread_smoothly() {
        assert_eq!(run(&mut weights(&[5, 1, 1]), 7), [0, 0, 1, 0, 2, 0, 0]);
        assert_eq!(run(&mut weights(&[1, 1]), 4), [0, 1, 0, 1]);
    }

    #[test]
    fn a_failed_peer_rests_and_is_tried_again() {
        let mut group = weights(&[1, 1]);
        let start = Instant::now();
        assert_eq!(pick(&mut group, start), Some(0));
        assert!(group.free(0, Outcome::Failed, start));
        for _ in 0..3 {
            assert_eq!(pick(&mut group, start + Duration::from_secs(9)), Some(1));
        }
        let later = start + Duration::from_secs(11);
        // Its weight has to grow back first.
        let picks: Vec<_> = (0..4).map(|_| pick(&mut group, later)).collect();
        assert!(picks.contains(&Some(0)), "{picks:?}");
        group.free(0, Outcome::Answered, later);
        assert_eq!(group.primary[0].fails, 0);
    }

    #[test]
    fn one_request_asks_each_peer_once_and_then_the_backup() {
        let mut group = weights(&[1, 1]);
        group.backup = weights(&[1]).primary;
        group.backup[0].id = 9;
        assert_eq!(group.tries(), 3);
        let (mut tried, now) = (Tried::default(), Instant::now());
        let mut next = || {
            let id = group.pick(&mut tried, now)?.0;
            group.free(id, Outcome::Failed, now);
            Some(id)
        };
        assert_eq!([next(), next(), next(), next()], [Some(0), Some(1), Some(9), None]);
    }

    #[test]
    fn the_last_that_is_left_stays_and_a_request_falls_back_on_the_ejected() {
        let mut group = weights(&[1, 1]);
        let now = Instant::now();
        assert_eq!(pick(&mut group, now), Some(0));
        assert!(group.free(0, Outcome::Failed, now));
        let mut tried = Tried::default();
        assert_eq!(group.pick(&mut tried, now).unwrap().0, 1);
        assert!(!group.free(1, Outcome::Failed, now));
        assert_eq!(group.pick(&mut tried, now).unwrap().0, 0);
        group.free(0, Outcome::Failed, now);
        assert!(group.pick(&mut tried, now).is_none());
        assert_eq!(pick(&mut group, now), Some(1));
    }

    #[test]
    fn the_only_peer_is_never_ejected() {
        let mut group = weights(&[1]);
        let now = Instant::now();
        for _ in 0..3 {
            assert_eq!(pick(&mut group, now), Some(0));
            assert!(!group.free(0, Outcome::Failed, now));
        }
        group.primary[0].settings.down = true;
        assert_eq!(pick(&mut group, now), None);
    }

    #[test]
    fn max_fails_zero_and_fail_timeout_zero_never_eject() {
        let never = Settings { max_fails: 0, ..Settings::default() };
        let at_once = Settings { fail_timeout: Duration::ZERO, ..Settings::default() };
        let mut group = group(&[never, at_once]);
        let mut now = Instant::now();
        for _ in 0..4 {
            let id = pick(&mut group, now).unwrap();
            group.free(id, Outcome::Failed, now);
            now += Duration::from_millis(1);
        }
        let (mut tried, mut ids) = (Tried::default(), Vec::new());
        while let Some((id, _)) = group.pick(&mut tried, now) {
            ids.push(id);
        }
        ids.sort_unstable();
        assert_eq!(ids, [0, 1]);
    }

    #[test]
    fn a_full_peer_is_passed_over() {
        let full = Settings { max_conns: 1, ..Settings::default() };
        let mut group = group(&[full.clone(), full]);
        let now = Instant::now();
        assert_eq!([pick(&mut group, now), pick(&mut group, now)], [Some(0), Some(1)]);
        assert_eq!(pick(&mut group, now), None);
        group.free(1, Outcome::Answered, now);
        assert_eq!(pick(&mut group, now), Some(1));
    }
}
