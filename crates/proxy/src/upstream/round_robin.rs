//! nginx's smooth weighted round robin.
//!
//! nginx: `ngx_http_upstream_get_peer`.

use std::time::Instant;

use super::peer::{Peer, WHOLE};

/// One step: the peer whose turn it is.
pub(super) fn next<'a>(
    peers: impl Iterator<Item = &'a mut Peer>,
    tried: &[u64],
    now: Instant,
) -> Option<&'a mut Peer> {
    let mut total = 0;
    let mut best: Option<&mut Peer> = None;
    for peer in peers {
        if !peer.is_ready(tried, now) {
            continue;
        }
        total += step(peer, now);
        if best.as_ref().is_none_or(|best| peer.current > best.current) {
            best = Some(peer);
        }
    }
    let best = best?;
    best.current -= total;
    Some(best)
}

/// One step that goes to this peer, whosever turn it is: it waits for its next turn, but no longer
/// than for one.
pub(super) fn keep(peers: &mut [Peer], id: u64, tried: &[u64], now: Instant) {
    let weights: i64 = peers.iter().map(|peer| i64::from(peer.settings.weight)).sum();
    let Some(own) = peers.iter().find(|peer| peer.id == id) else { return };
    if own.current <= (i64::from(own.settings.weight) - weights) * WHOLE {
        return;
    }
    let mut total = 0;
    for peer in peers.iter_mut().filter(|peer| peer.is_ready(tried, now)) {
        total += step(peer, now);
    }
    if let Some(own) = peers.iter_mut().find(|peer| peer.id == id) {
        own.current -= total;
    }
}

/// Adds to a peer's claim; how much.
fn step(peer: &mut Peer, now: Instant) -> i64 {
    let step = peer.effective * peer.share(now);
    peer.current += step;
    if peer.effective < peer.settings.weight.into() {
        peer.effective += 1;
    }
    step
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::peer::tests::weighing;

    #[test]
    fn weights_are_spread_smoothly() {
        let run = |weights: &[u32], times: usize| {
            let mut peers = weighing(weights);
            let now = Instant::now();
            let step = || next(peers.iter_mut(), &[], now).map(|peer| peer.id);
            std::iter::from_fn(step).take(times).collect::<Vec<_>>()
        };
        assert_eq!(run(&[5, 1, 1], 7), [0, 0, 1, 0, 2, 0, 0]);
        assert_eq!(run(&[1, 1], 4), [0, 1, 0, 1]);
    }
}
