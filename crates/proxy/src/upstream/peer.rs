//! One server of a group, with what is remembered of it: no clock, no sockets.
//!
//! nginx: `ngx_http_upstream_rr_peer_t`. Peers are told apart by an id of their own, for their list
//! may change between a pick and its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use md5::{Digest, Md5};

use super::health::Health;
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
    /// Whether only those ask it that are kept with it (nginx: `drain`).
    pub drain: bool,
    /// In which time its weight grows after it was away; zero is at once.
    pub slow_start: Duration,
    /// What `sticky` calls it (nginx: `route`); empty for a hash of its address.
    pub route: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            weight: 1,
            max_fails: 1,
            fail_timeout: Duration::from_secs(10),
            max_conns: 0,
            down: false,
            drain: false,
            slow_start: Duration::ZERO,
            route: String::new(),
        }
    }
}

/// A whole weight, of which a peer has a share.
pub(super) const WHOLE: i64 = 256;

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
    pub(super) effective: i64,
    pub(super) current: i64,
    pub(super) fails: u32,
    /// The last failure.
    pub(super) accessed: Option<Instant>,
    /// The last failure, or the last attempt after the time of ejection.
    pub(super) checked: Option<Instant>,
    pub(super) connections: u32,
    /// Since when it is back, while its weight grows.
    back: Option<Instant>,
    /// How long its answers took lately, in microseconds; 0 before the first.
    pub(super) time: u64,
    /// What `sticky` calls it.
    pub sid: Arc<str>,
    /// What checks have found out.
    pub(super) health: Health,
}

impl Peer {
    /// A peer without a past.
    pub fn new(id: u64, server: usize, address: Address, settings: Settings) -> Self {
        let effective = settings.weight.into();
        let sid = sid(&address, &settings.route);
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
            back: None,
            time: 0,
            sid,
            health: Health::default(),
        }
    }

    /// The configuration says this of it now.
    pub(super) fn is_described(&mut self, settings: Settings) {
        if settings.weight != self.settings.weight {
            self.effective = settings.weight.into();
        }
        if settings.route != self.settings.route {
            self.sid = sid(&self.address, &settings.route);
        }
        if self.settings.down && !settings.down {
            self.fails = 0;
        }
        self.settings = settings;
    }

    /// How much of its weight it has, in 256ths: less for a while after it was away.
    pub(super) fn share(&self, now: Instant) -> i64 {
        let Some(back) = self.back else { return WHOLE };
        let (gone, all) =
            (now.duration_since(back).as_millis(), self.settings.slow_start.as_millis());
        let share = (gone * WHOLE as u128).checked_div(all);
        share.and_then(|share| i64::try_from(share).ok()).unwrap_or(WHOLE).min(WHOLE)
    }

    /// Its answer took so long; older answers fade.
    pub(super) fn took(&mut self, time: Duration) {
        let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX / 8).max(1);
        self.time = if self.time == 0 { time } else { (self.time * 7 + time) / 8 };
    }

    pub(super) fn is_full(&self) -> bool {
        self.settings.max_conns != 0 && self.connections >= self.settings.max_conns
    }

    pub(super) fn is_ejected(&self, now: Instant) -> bool {
        self.fails >= self.settings.max_fails
            && self.settings.max_fails != 0
            && self.checked.is_some_and(|at| now.duration_since(at) <= self.settings.fail_timeout)
    }

    /// Whether a request may ask it that has no other choice.
    pub(super) fn is_open(&self) -> bool {
        let Settings { down, drain, .. } = self.settings;
        !(down || drain || self.health.is_out() || self.is_full())
    }

    /// Whether a request that has tried these may ask it.
    #[inline]
    pub(super) fn is_ready(&self, tried: &[u64], now: Instant) -> bool {
        !(self.settings.down
            || self.settings.drain
            || self.health.is_out()
            || self.is_full()
            || self.is_ejected(now)
            || tried.contains(&self.id))
    }

    /// Whether a client that is kept with it may ask it.
    pub(super) fn is_ready_for_its_own(&self, tried: &[u64], now: Instant) -> bool {
        !(self.settings.down
            || self.health.is_out()
            || self.is_full()
            || self.is_ejected(now)
            || tried.contains(&self.id))
    }

    /// How many times `fail_timeout` has gone by since it was last looked at.
    pub(super) fn rest(&self, now: Instant) -> u64 {
        let Some(checked) = self.checked else { return 0 };
        let timeout = self.settings.fail_timeout.as_secs();
        let gone = now.duration_since(checked).as_secs();
        if gone > timeout { gone / (timeout + 1) } else { 0 }
    }

    /// Begins a try.
    pub(super) fn begin(&mut self, now: Instant) {
        self.connections += 1;
        let timeout = self.settings.fail_timeout;
        if self.checked.is_none_or(|at| now.duration_since(at) > timeout) {
            self.checked = Some(now);
        }
    }

    /// Remembers an answer. If it came after the time of ejection, failures are forgotten.
    pub(super) fn answer(&mut self, now: Instant) {
        if self.accessed < self.checked {
            let was_away = self.settings.max_fails != 0 && self.fails >= self.settings.max_fails;
            if was_away && !self.settings.slow_start.is_zero() {
                self.back = Some(now);
            }
            self.fails = 0;
        }
        if self.back.is_some() && self.share(now) >= WHOLE {
            self.back = None;
        }
    }

    /// A check has found it well again: what has failed is forgotten, and its weight grows.
    pub(super) fn recover(&mut self, now: Instant) {
        self.fails = 0;
        if !self.settings.slow_start.is_zero() {
            self.back = Some(now);
        }
    }

    /// Remembers a failure; says whether it ejects the peer.
    pub(super) fn fail(&mut self, now: Instant) -> bool {
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

/// What `sticky` calls a peer.
fn sid(address: &Address, route: &str) -> Arc<str> {
    if !route.is_empty() {
        return route.into();
    }
    let hash = Md5::digest(address.to_string());
    let number = hash.iter().fold(0, |number, byte| number << 8 | u128::from(*byte));
    format!("{number:032x}").into()
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Peers with these settings, whose ids are their places.
    pub(in crate::upstream) fn peers(settings: &[Settings]) -> Vec<Peer> {
        let peer = |(id, settings): (usize, &Settings)| {
            let address = Address::Tcp(([127, 0, 0, 1], id as u16).into());
            Peer::new(id as u64, id, address, settings.clone())
        };
        settings.iter().enumerate().map(peer).collect()
    }

    /// Peers of these weights.
    pub(in crate::upstream) fn weighing(weights: &[u32]) -> Vec<Peer> {
        let settings = |&weight: &u32| Settings { weight, ..Settings::default() };
        peers(&weights.iter().map(settings).collect::<Vec<_>>())
    }
}
