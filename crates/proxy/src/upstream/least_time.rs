//! `least_time`: the peer that answers soonest, for its connections and its weight.
//!
//! nginx documents the mean time of answers and the connections in use as what counts; times fade
//! by an eighth with each answer.

use std::time::Instant;

use super::peer::Peer;
use super::round_robin;

/// The peer that is expected to answer soonest; where several are alike, they take turns.
pub(super) fn next<'a>(peers: &'a mut [Peer], tried: &[u64], now: Instant) -> Option<&'a mut Peer> {
    let ready = |peer: &&Peer| peer.is_ready(tried, now);
    let least = peers.iter().filter(ready).map(expected).min()?;
    let candidates =
        peers.iter_mut().filter(|peer| peer.is_ready(tried, now) && expected(peer) == least);
    round_robin::next(candidates, tried, now)
}

/// How long its next answer is expected to take, in microseconds by weight; 0 for one that has not
/// answered yet and is idle.
pub(super) fn expected(peer: &Peer) -> u64 {
    let time = peer.time.max(u64::from(peer.connections > 0));
    let load = time.saturating_mul(u64::from(peer.connections) + 1);
    load * 16 / u64::from(peer.settings.weight.max(1))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::upstream::peer::tests::weighing;

    #[test]
    fn the_fastest_is_asked_until_it_is_busy() {
        let (mut peers, now) = (weighing(&[1, 1, 2]), Instant::now());
        for (peer, ms) in peers.iter_mut().zip([5, 20, 32]) {
            peer.took(Duration::from_millis(ms));
        }
        let mut open = || {
            let peer = next(&mut peers, &[], now)?;
            peer.begin(now);
            Some(peer.id)
        };
        assert_eq!([open(), open(), open(), open()], [Some(0), Some(0), Some(0), Some(2)]);
    }

    #[test]
    fn times_fade() {
        let mut peers = weighing(&[1]);
        peers[0].took(Duration::from_millis(80));
        peers[0].took(Duration::from_millis(0));
        assert_eq!(peers[0].time, 70_000);
    }
}
