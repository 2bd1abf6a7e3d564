//! A group that a reload has changed: what is known of its servers stays, as do its idle connections.
//!
//! Until the configuration holds that says the new group, the old one goes on as it was; from then on
//! both are one, so that requests that began before count.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::group::{Description, Group, Member, Place, Server};
use super::peer::Peer;

impl Group {
    /// The group that comes after this one, as described; [`Group::succeed`] makes it so.
    pub(super) fn followed_by(&self, description: Description) -> Self {
        Self {
            id: self.id,
            outage: Arc::clone(&self.outage),
            sessions: Arc::clone(&self.sessions),
            state: Arc::clone(&self.state),
            follows: true.into(),
            ..Self::new(description)
        }
    }

    /// The configuration holds that says this group: from now on its servers are asked.
    pub(crate) fn succeed(&self) {
        if !self.follows.load(Ordering::Relaxed) || !self.follows.swap(false, Ordering::Relaxed) {
            return;
        }
        let servers = &self.description.servers;
        let mut state = self.state();
        let before = std::mem::replace(&mut state.balancer, self.description.balancer());
        let lines = successors(&state.lines, servers);
        let mut known = vec![Vec::new(); servers.len()];
        for mut peer in before.primary.into_iter().chain(before.backup) {
            let Some(line) = lines.get(peer.server).copied().flatten() else { continue };
            peer.begins_anew(line);
            if let Some(members) = known.get_mut(line) {
                members.push(Member::at(peer.address.clone()));
            }
            state.balancer.primary.push(peer);
        }
        for (server, members) in servers.iter().zip(&mut known) {
            if let Place::Fixed(address) = &server.place {
                *members = vec![Member::at(address.clone())];
            }
        }
        state.update(servers, known);
        // Names are asked for again.
        state.fresh = None;
        state.unresolved = None;
    }
}

/// For each line of before the one that is its like now.
fn successors(before: &[String], now: &[Server]) -> Vec<Option<usize>> {
    let mut taken = vec![false; now.len()];
    let mut find = |line: &String| {
        let mut free = now.iter().zip(&mut taken).enumerate();
        let (number, (_, taken)) =
            free.find(|(_, (server, taken))| !**taken && server.name == *line)?;
        *taken = true;
        Some(number)
    };
    before.iter().map(&mut find).collect()
}

impl Peer {
    /// It is of this line now, and turns begin anew.
    fn begins_anew(&mut self, line: usize) {
        self.server = line;
        self.current = 0;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tidegate_config::http::upstream::balance::Method;

    use super::*;
    use crate::connect::Address;
    use crate::upstream::keepalive;
    use crate::upstream::peer::{Outcome, Settings};
    use crate::upstream::resolve::Names;
    use crate::upstream::selection::Selection;

    fn described(servers: &[(u16, bool)]) -> Description {
        let server = |&(port, down): &(u16, bool)| Server {
            name: format!("127.0.0.1:{port}"),
            place: Place::Fixed(Address::Tcp(([127, 0, 0, 1], port).into())),
            settings: Settings { down, ..Settings::default() },
            backup: false,
        };
        Description {
            name: "app".into(),
            servers: servers.iter().map(server).collect(),
            method: Method::default(),
            keepalive: keepalive::Settings::default(),
            resolver: Names::default(),
            sticky: None,
            queue: None,
        }
    }

    #[tokio::test]
    async fn requests_and_failures_of_before_count() {
        let old = Arc::new(Group::new(described(&[(1, false), (2, false), (3, false)])));
        let mut way = Selection::new(&old, 0, Bytes::new()).await;
        let failed = way.pick(std::time::Instant::now()).unwrap();
        assert!(way.give_up(failed, Outcome::Failed, false));
        let asked = way.pick(std::time::Instant::now()).unwrap();
        assert_eq!(asked.address.to_string(), "127.0.0.1:2");

        let new = Arc::new(old.followed_by(described(&[(4, false), (2, true), (1, false)])));
        let standing = |group: &Group| {
            let all = group.standing().into_iter();
            all.map(|one| format!("{} {} {}", one.address, one.state, one.connections))
                .collect::<Vec<_>>()
        };
        // Nothing has changed yet.
        assert_eq!(
            standing(&old),
            ["127.0.0.1:1 unavail 0", "127.0.0.1:2 up 1", "127.0.0.1:3 up 0"]
        );
        new.succeed();
        assert_eq!(
            standing(&new),
            ["127.0.0.1:4 up 0", "127.0.0.1:2 down 1", "127.0.0.1:1 unavail 0"]
        );
        drop(asked);
        assert_eq!(standing(&new)[1], "127.0.0.1:2 down 0");
        assert_eq!(new.id, old.id);
        let mut way = Selection::new(&new, 0, Bytes::new()).await;
        assert_eq!(way.pick(std::time::Instant::now()).unwrap().address.to_string(), "127.0.0.1:4");
    }
}
