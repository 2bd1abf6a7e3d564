//! A group of servers as all workers share it, and one request's way through it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tidegate_config::http::upstream::balance::Method;

use super::balancer::{Balancer, Tried};
use super::keepalive;
use super::peer::{Outcome, Peer, Settings};
use super::resolve;
use crate::connect::Address;
use crate::fault::Fault;

/// What the configuration says of a group (nginx: `upstream`, or the host of a `proxy_pass`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// What it is called in logs and in `$upstream_addr` when no peer is left.
    pub name: String,
    /// Its `server` lines.
    pub servers: Vec<Server>,
    /// How one of them is chosen.
    pub method: Method,
    /// What becomes of idle connections.
    pub keepalive: keepalive::Settings,
}

/// One `server` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its address as written.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// Its parameters.
    pub settings: Settings,
    /// Whether it is asked only when the others are gone.
    pub backup: bool,
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At an address.
    Fixed(Address),
    /// At whatever addresses a name has at the moment.
    Name {
        /// The name.
        host: String,
        /// The port.
        port: u16,
    },
}

/// A group at work: one for the process, behind a lock that is held for a few instructions.
#[derive(Debug)]
pub struct Group {
    /// What the configuration says.
    pub description: Description,
    /// Tells its idle connections from those of others.
    pub id: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    balancer: Balancer,
    last_peer: u64,
    /// Until when the addresses of names are believed; never asked again where there are no names.
    fresh: Option<Instant>,
    /// Why a name has no address.
    unresolved: Option<(String, String)>,
}

static LAST_GROUP: AtomicU64 = AtomicU64::new(0);

impl Group {
    /// A group without a past.
    pub fn new(description: Description) -> Self {
        let id = LAST_GROUP.fetch_add(1, Ordering::Relaxed);
        let weight = |server: &Server| if server.backup { 0 } else { server.settings.weight };
        let servers = description.servers.iter().map(|server| (&*server.name, weight(server)));
        let balancer = Balancer::new(description.method.clone(), servers);
        let state = Mutex::new(State { balancer, ..State::default() });
        let group = Self { description, id, state };
        let known = group.description.servers.iter().map(|server| match &server.place {
            Place::Fixed(address) => vec![address.clone()],
            Place::Name { .. } => Vec::new(),
        });
        let known = known.collect();
        group.state().update(&group.description.servers, known);
        group
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_names(&self) -> bool {
        self.description.servers.iter().any(|server| matches!(server.place, Place::Name { .. }))
    }

    /// Asks again for the addresses of names, when it is time. One request asks; the others go on
    /// with what is known, if anything is.
    async fn refresh(&self) {
        if !self.has_names() {
            return;
        }
        {
            let mut state = self.state();
            let now = Instant::now();
            if state.fresh.is_some_and(|fresh| fresh > now) {
                return;
            }
            if !state.balancer.primary.is_empty() {
                state.fresh = Some(now + resolve::FRESH);
            }
        }
        let mut known = Vec::with_capacity(self.description.servers.len());
        let (mut unresolved, mut fresh) = (None, resolve::FRESH);
        for server in &self.description.servers {
            known.push(match &server.place {
                Place::Fixed(address) => vec![address.clone()],
                Place::Name { host, port } => match resolve::lookup(host, *port).await {
                    Ok(found) => found.into_iter().map(Address::Tcp).collect(),
                    Err(reason) => {
                        unresolved = Some((host.clone(), reason));
                        fresh = Duration::from_secs(1);
                        Vec::new()
                    }
                },
            });
        }
        let mut state = self.state();
        state.update(&self.description.servers, known);
        state.fresh = Some(Instant::now() + fresh);
        state.unresolved = unresolved;
    }
}

impl State {
    /// Takes over the addresses of each server; what is known of a peer stays with it. A name that
    /// has lost all its addresses keeps the old ones: they are more than none.
    fn update(&mut self, servers: &[Server], known: Vec<Vec<Address>>) {
        let Balancer { primary, backup, .. } = &mut self.balancer;
        let mut old: Vec<Peer> = primary.drain(..).chain(backup.drain(..)).collect();
        for (number, (server, addresses)) in servers.iter().zip(known).enumerate() {
            let (mut mine, others): (Vec<_>, Vec<_>) =
                old.into_iter().partition(|peer| peer.server == number);
            old = others;
            if !addresses.is_empty() {
                let new = addresses.into_iter().map(|address| {
                    if let Some(known) = mine.iter().position(|peer| peer.address == address) {
                        return mine.swap_remove(known);
                    }
                    self.last_peer += 1;
                    Peer::new(self.last_peer, number, address, server.settings.clone())
                });
                mine = new.collect();
            }
            if server.backup { &mut *backup } else { &mut *primary }.extend(mine);
        }
    }
}

/// One request's way through a group.
#[derive(Debug)]
pub struct Selection {
    group: Arc<Group>,
    tried: Tried,
    /// How many peers may still be tried, the present one included.
    tries: usize,
}

impl Selection {
    /// Begins; at most `limit` peers are tried (nginx: `proxy_next_upstream_tries`, 0: no limit).
    /// The key is what `ip_hash` and `hash` choose by.
    pub async fn new(group: Arc<Group>, limit: usize, key: Bytes) -> Self {
        group.refresh().await;
        let (tried, all) = {
            let state = group.state();
            (state.balancer.begin(key), state.balancer.tries())
        };
        Self { group, tried, tries: if limit == 0 { all } else { all.min(limit) } }
    }

    /// The group.
    pub fn group(&self) -> &Arc<Group> {
        &self.group
    }

    /// Chooses the next peer.
    pub fn pick(&mut self) -> Result<Lease, Fault> {
        let mut state = self.group.state();
        if let Some((id, address)) = state.balancer.pick(&mut self.tried, Instant::now()) {
            return Ok(Lease { group: self.group.clone(), id, address, over: false });
        }
        Err(match &state.unresolved {
            Some((host, reason)) if state.balancer.primary.is_empty() => {
                Fault::Unresolved { host: host.clone(), reason: reason.clone() }
            }
            _ => Fault::NoLive,
        })
    }

    /// Whether another peer may be tried, if this one is given up.
    pub fn has_another(&self) -> bool {
        self.tries > 1
    }

    /// Ends a try that brought no answer; says whether the peer is ejected by it.
    ///
    /// `cached` says that the connection was an idle one, which the peer may have closed in the
    /// very moment: such a try does not count.
    pub fn give_up(&mut self, mut lease: Lease, outcome: Outcome, cached: bool) -> bool {
        let mut state = self.group.state();
        self.tries = if state.balancer.is_single() { 0 } else { self.tries.saturating_sub(1) };
        self.tries += usize::from(cached);
        lease.over = true;
        state.balancer.free(lease.id, outcome, Instant::now())
    }

    /// Whether a try is left after [`Selection::give_up`].
    pub fn is_exhausted(&self) -> bool {
        self.tries == 0
    }
}

/// A peer in use. It counts as having answered unless it is given up.
#[derive(Debug)]
pub struct Lease {
    group: Arc<Group>,
    id: u64,
    /// Where it is.
    pub address: Address,
    over: bool,
}

impl Lease {
    /// The group of the peer.
    pub fn group(&self) -> &Group {
        &self.group
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.over {
            self.group.state().balancer.free(self.id, Outcome::Answered, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(place: Place) -> Server {
        Server { name: String::new(), place, settings: Settings::default(), backup: false }
    }

    fn group(servers: Vec<Server>) -> Arc<Group> {
        let (method, keepalive) = (Method::default(), keepalive::Settings::default());
        Arc::new(Group::new(Description { name: "app".into(), servers, method, keepalive }))
    }

    fn port(port: u16) -> Server {
        server(Place::Fixed(Address::Tcp(([127, 0, 0, 1], port).into())))
    }

    #[tokio::test]
    async fn a_request_goes_on_until_the_group_or_its_limit_ends() {
        let group = group(vec![port(1), port(2), port(3)]);
        let mut way = Selection::new(group.clone(), 2, Bytes::new()).await;
        let first = way.pick().unwrap();
        assert!(way.has_another());
        assert!(way.give_up(first, Outcome::Failed, false));
        let second = way.pick().unwrap();
        assert!(!way.has_another());
        way.give_up(second, Outcome::Failed, false);
        assert!(way.is_exhausted());
        let mut way = Selection::new(group, 0, Bytes::new()).await;
        // The one that is left comes first, then those that failed others.
        let order =
            [way.pick(), way.pick(), way.pick()].map(|lease| lease.unwrap().address.to_string());
        assert_eq!(order, ["127.0.0.1:3", "127.0.0.1:1", "127.0.0.1:2"]);
        assert!(matches!(way.pick(), Err(Fault::NoLive)));
    }

    #[tokio::test]
    async fn an_idle_connection_that_fails_is_no_try() {
        let mut way = Selection::new(group(vec![port(1)]), 0, Bytes::new()).await;
        let lease = way.pick().unwrap();
        way.give_up(lease, Outcome::Failed, true);
        assert!(!way.is_exhausted());
        let lease = way.pick().unwrap();
        way.give_up(lease, Outcome::Failed, false);
        assert!(way.is_exhausted());
    }

    #[tokio::test]
    async fn a_name_that_does_not_resolve_fails_alone() {
        let lost = || server(Place::Name { host: "no-such-host.invalid".into(), port: 80 });
        let mut way = Selection::new(group(vec![lost()]), 0, Bytes::new()).await;
        let fault = way.pick().unwrap_err();
        assert!(fault.to_string().starts_with("no-such-host.invalid could not be resolved ("));
        assert_eq!(fault.status(), 502);
        let mut way = Selection::new(group(vec![lost(), port(2)]), 0, Bytes::new()).await;
        assert_eq!(way.pick().unwrap().address.to_string(), "127.0.0.1:2");
    }

    #[tokio::test]
    async fn what_is_known_of_a_peer_outlives_a_new_lookup() {
        let group = group(vec![port(1), port(2)]);
        let mut way = Selection::new(group.clone(), 0, Bytes::new()).await;
        let lease = way.pick().unwrap();
        way.give_up(lease, Outcome::Failed, false);
        let known = vec![
            vec![Address::Tcp(([127, 0, 0, 1], 1).into())],
            vec![Address::Tcp(([127, 0, 0, 1], 9).into())],
        ];
        group.state().update(&group.description.servers, known);
        let mut way = Selection::new(group, 0, Bytes::new()).await;
        assert_eq!(way.pick().unwrap().address.to_string(), "127.0.0.1:9");
    }
}
