//! Why no server of a group can be asked, in words for the error log.

use std::time::Instant;

use super::balancer::Balancer;
use super::peer::Peer;

impl Balancer {
    /// Why nobody can be asked: `of 3 servers 1 is marked down, 2 have failed`.
    pub fn census(&self, now: Instant) -> String {
        let all = || self.primary.iter().chain(&self.backup);
        let count = |is: &dyn Fn(&Peer) -> bool| all().filter(|peer| is(peer)).count();
        let down = count(&|peer| peer.settings.down);
        let out = count(&|peer| !peer.settings.down && peer.health.is_out());
        let left = |peer: &Peer| !(peer.settings.down || peer.health.is_out());
        let full = count(&|peer| left(peer) && peer.is_full());
        let failed = count(&|peer| left(peer) && !peer.is_full() && peer.is_ejected(now));
        let said = |count: usize, one: &str, more: &str| match count {
            0 => None,
            1 => Some(format!(" 1 {one}")),
            count => Some(format!(" {count} {more}")),
        };
        let why = [
            said(down, "is marked down", "are marked down"),
            said(out, "has not passed its health check", "have not passed their health checks"),
            said(full, "has all its max_conns", "have all their max_conns"),
            said(failed, "has failed within fail_timeout", "have failed within fail_timeout"),
        ];
        let why: Vec<String> = why.into_iter().flatten().collect();
        let total = all().count();
        format!("of {total} server{}{}", if total == 1 { "" } else { "s" }, why.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::peer::Settings;
    use crate::upstream::peer::tests::peers;

    #[test]
    fn each_reason_is_counted() {
        let down = Settings { down: true, ..Settings::default() };
        let full = Settings { max_conns: 1, ..Settings::default() };
        let mut group = Balancer::default();
        group.primary = peers(&[down.clone(), down, full]);
        group.primary[2].begin(Instant::now());
        let now = Instant::now();
        assert_eq!(group.census(now), "of 3 servers 2 are marked down, 1 has all its max_conns");
    }
}
