//! `least_conn`: the peer with the fewest connections for its weight.
//!
//! nginx: `ngx_http_upstream_get_least_conn_peer`.

use std::cmp::Ordering;
use std::time::Instant;

use super::peer::Peer;
use super::round_robin;

/// The peer with the fewest connections; where several have equally few, they take turns.
pub(super) fn next<'a>(peers: &'a mut [Peer], tried: &[u64], now: Instant) -> Option<&'a mut Peer> {
    let ready = || peers.iter().filter(|peer| peer.is_ready(tried, now));
    let least = ready().min_by(|one, two| compare(load(one), load(two))).map(load)?;
    let is_least = |peer: &Peer| compare(load(peer), least).is_eq();
    let many = ready().filter(|peer| is_least(peer)).count() > 1;
    let mut candidates =
        peers.iter_mut().filter(|peer| peer.is_ready(tried, now) && is_least(peer));
    if many { round_robin::next(candidates, tried, now) } else { candidates.next() }
}

/// Connections and weight.
pub(super) fn load(peer: &Peer) -> (u64, u64) {
    (peer.connections.into(), peer.settings.weight.into())
}

/// Compares connections for their weight.
pub(super) fn compare(one: (u64, u64), two: (u64, u64)) -> Ordering {
    (one.0 * two.1).cmp(&(two.0 * one.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::peer::tests::weighing;

    #[test]
    fn the_least_busy_for_its_weight_is_asked() {
        let mut peers = weighing(&[1, 2, 1]);
        let now = Instant::now();
        let open = |peers: &mut [Peer]| {
            let peer = next(peers, &[], now)?;
            peer.begin(now);
            Some(peer.id)
        };
        let opened: Vec<_> = (0..4).filter_map(|_| open(&mut peers)).collect();
        let each = [0, 1, 2].map(|id| opened.iter().filter(|&&opened| opened == id).count());
        assert_eq!(each, [1, 2, 1]);
        peers[2].connections = 0;
        assert_eq!(open(&mut peers), Some(2));
        peers[1].connections = 0;
        assert_eq!(open(&mut peers), Some(1));
    }

    #[test]
    fn where_all_are_idle_they_take_turns() {
        let mut peers = weighing(&[1, 1]);
        let now = Instant::now();
        let order = [(); 4].map(|()| next(&mut peers, &[], now).unwrap().id);
        assert_eq!(order, [0, 1, 0, 1]);
        assert_eq!(next(&mut peers, &[0], now).unwrap().id, 1);
    }
}
