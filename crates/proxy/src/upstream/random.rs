//! `random`: a peer is drawn by lot, or the less busy of two.
//!
//! nginx: `ngx_http_upstream_get_random_peer`.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use super::least_conn;
use super::peer::Peer;

/// A number that nobody foresees.
pub fn number() -> u32 {
    let [one, two, three, four, ..] = RandomState::new().build_hasher().finish().to_ne_bytes();
    u32::from_ne_bytes([one, two, three, four])
}

/// The less busy of two for their weights; the second where they are equally busy.
pub(super) fn lighter<'a>(first: &'a Peer, second: &'a Peer) -> &'a Peer {
    let order = least_conn::compare(least_conn::load(second), least_conn::load(first));
    if order.is_gt() { first } else { second }
}

/// The peer that a number falls on, where each has as many places as it weighs.
pub(super) fn at(peers: &[Peer], number: u32) -> Option<&Peer> {
    let weight = |peer: &Peer| u64::from(peer.settings.weight);
    let total: u64 = peers.iter().map(weight).sum();
    let mut place = u64::from(number).checked_rem(total)?;
    peers.iter().find(|peer| {
        let found = place < weight(peer);
        place = place.saturating_sub(weight(peer));
        found
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::peer::tests::weighing;

    #[test]
    fn numbers_differ() {
        let numbers: std::collections::HashSet<_> = (0..100).map(|_| number() % 1000).collect();
        assert!(numbers.len() > 50);
    }

    #[test]
    fn of_two_the_less_busy_is_asked() {
        let mut peers = weighing(&[1, 2]);
        peers[1].connections = 3;
        assert_eq!(lighter(&peers[0], &peers[1]).id, 0);
        peers[0].connections = 2;
        assert_eq!(lighter(&peers[0], &peers[1]).id, 1);
    }
}
