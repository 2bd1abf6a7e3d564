//! A group whose servers are checked: who is to be asked, and what becomes of what was found out.

use std::time::Instant;

use super::group::Group;
use super::health::{Change, Health, Rule, State};
use super::peer::Peer;
use crate::connect::Address;

/// One server of a group, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Where it is.
    pub address: String,
    /// How it is: `up`, `down`, `draining`, `unavail` (it has failed), `unhealthy`, `checking`.
    pub state: &'static str,
    /// Whether it is asked only when the others are gone.
    pub backup: bool,
    /// How many connections it has.
    pub connections: u32,
}

impl Group {
    /// A group without a past goes by these checks.
    pub(super) fn check_by(&self, rules: Vec<Rule>) {
        let mut state = self.state();
        for peer in state.balancer.all_mut() {
            peer.health = Health::new(&rules);
        }
        state.rules = rules;
    }

    /// The configuration holds from now on that says these checks.
    pub fn adopt(&self, rules: Vec<Rule>) {
        self.succeed();
        let mut state = self.state();
        for peer in state.balancer.all_mut() {
            peer.health = peer.health.reloaded(&rules);
        }
        state.rules = rules;
    }

    /// The servers that are to be checked: all that are not marked down.
    pub fn to_check(&self) -> Vec<(u64, Address)> {
        let state = self.state();
        let open = state.balancer.all().filter(|peer| !peer.settings.down);
        open.map(|peer| (peer.id, peer.address.clone())).collect()
    }

    /// A check has found a server well, or not.
    pub fn report(&self, id: u64, number: usize, good: bool) -> Option<Change> {
        let now = Instant::now();
        let change = {
            let mut state = self.state();
            let rule = *state.rules.get(number)?;
            let peer = state.balancer.all_mut().find(|peer| peer.id == id)?;
            let change = peer.health.report(number, good, rule)?;
            if change == Change::Healthy {
                peer.recover(now);
            }
            change
        };
        if change == Change::Healthy {
            // Whoever waits for the group goes on.
            self.outage.end(now);
        }
        Some(change)
    }

    /// How its servers are.
    pub fn standing(&self) -> Vec<Standing> {
        let (state, now) = (self.state(), Instant::now());
        let primary = state.balancer.primary.iter().map(|peer| (peer, false));
        let all = primary.chain(state.balancer.backup.iter().map(|peer| (peer, true)));
        let standing = |(peer, backup): (&Peer, bool)| Standing {
            address: peer.address.to_string(),
            state: word(peer, now),
            backup,
            connections: peer.connections,
        };
        all.map(standing).collect()
    }
}

/// How a server is, in a word of the paid nginx's status.
fn word(peer: &Peer, now: Instant) -> &'static str {
    match peer.health.state() {
        _ if peer.settings.down => "down",
        State::Unhealthy => "unhealthy",
        State::Checking => "checking",
        State::Up if peer.settings.drain => "draining",
        State::Up if peer.is_ejected(now) => "unavail",
        State::Up => "up",
    }
}
