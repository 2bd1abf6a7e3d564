//! nginx's smooth weighted round robin.
//!
//! nginx: `ngx_http_upstream_get_peer`.

use std::time::Instant;

use super::peer::Peer;

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
        let step = peer.effective * peer.share(now);
        peer.current += step;
        total += step;
        if peer.effective < peer.settings.weight.into() {
            peer.effective += 1;
        }
        if best.as_ref().is_none_or(|best| peer.current > best.current) {
            best = Some(peer);
        }
    }
    let best = best?;
    best.current -= total;
    Some(best)
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
