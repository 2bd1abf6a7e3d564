//! `least_time`: the peer that answers soonest, for its connections and its weight.
//!
//! nginx: `ngx_http_upstream_get_least_time_peer`; times fade by an eighth with each answer.

use std::cmp::Ordering;
use std::time::Instant;

use super::peer::Peer;
use super::round_robin;

/// The peer that is expected to answer soonest; where several are alike, they take turns.
pub(super) fn next<'a>(peers: &'a mut [Peer], tried: &[u64], now: Instant) -> Option<&'a mut Peer> {
    let ready = peers.iter().filter(|peer| peer.is_ready(tried, now));
    let least = ready.map(|peer| Expected::of(peer, now)).min_by(Expected::compare)?;
    let candidates = peers.iter_mut().filter(|peer| {
        peer.is_ready(tried, now) && Expected::of(peer, now).compare(&least).is_eq()
    });
    round_robin::next(candidates, tried, now)
}

/// How long the next answer of a peer is expected to take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    milliseconds: u64,
    weight: u64,
}

/// Times that differ by less are alike, in milliseconds.
const CLUSTER: u64 = 20;

/// Longer times are all the same, so that connections alone count, in milliseconds.
const LONGEST: u64 = 5000;

impl Expected {
    /// Of this peer; one that has not been asked for long is given another chance.
    pub(super) fn of(peer: &Peer, now: Instant) -> Self {
        let rest = peer.rest(now).min(63) as u32;
        let time = (peer.time / 1000) >> rest;
        let time = if time > LONGEST { LONGEST } else { time + CLUSTER - time % CLUSTER };
        let milliseconds = time * (1 + u64::from(peer.connections));
        Self { milliseconds, weight: peer.settings.weight.max(1).into() }
    }

    /// Which is sooner, for their weights.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        (self.milliseconds * other.weight).cmp(&(other.milliseconds * self.weight))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::upstream::peer::tests::weighing;

    #[test]
    fn the_fastest_is_asked_until_it_is_busy() {
        let (mut peers, now) = (weighing(&[1, 1, 3]), Instant::now());
        for (peer, ms) in peers.iter_mut().zip([5, 30, 130]) {
            peer.took(Duration::from_millis(ms));
        }
        let mut open = || {
            let peer = next(&mut peers, &[], now)?;
            peer.begin(now);
            Some(peer.id)
        };
        // 20, 40 and 140 for a third; then 40, so that the first two take turns; and so on.
        assert_eq!([open(), open(), open(), open()], [Some(0), Some(0), Some(1), Some(2)]);
    }

    #[test]
    fn times_that_are_close_are_alike() {
        let (mut peers, now) = (weighing(&[1, 1]), Instant::now());
        peers[0].took(Duration::from_millis(3));
        peers[1].took(Duration::from_millis(19));
        let turns = [0; 4].map(|_| next(&mut peers, &[], now).map(|peer| peer.id));
        assert_eq!(turns, [Some(0), Some(1), Some(0), Some(1)]);
    }

    #[test]
    fn times_fade_and_who_was_slow_long_ago_gets_another_chance() {
        let (mut peers, now) = (weighing(&[1]), Instant::now());
        peers[0].took(Duration::from_millis(80));
        peers[0].took(Duration::from_millis(0));
        assert_eq!(peers[0].time, 70_000);
        peers[0].begin(now);
        peers[0].connections = 0;
        let after =
            |seconds| Expected::of(&peers[0], now + Duration::from_secs(seconds)).milliseconds;
        assert_eq!([after(0), after(10), after(11), after(22)], [80, 80, 40, 20]);
    }
}
