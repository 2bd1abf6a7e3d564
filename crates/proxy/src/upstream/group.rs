//! A group of servers as all workers share it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tidegate_config::http::upstream::balance::Method;
use tidegate_config::http::upstream::queue::Queue;

use super::balancer::Balancer;
use super::keepalive;
use super::outage::Outage;
use super::peer::{Peer, Settings};
use super::resolve;
use crate::connect::Address;

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
    /// How many requests wait for one that is free, and how long.
    pub queue: Option<Queue>,
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
    /// Whether any of its servers can be reached.
    pub outage: Outage,
    pub(super) state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) balancer: Balancer,
    last_peer: u64,
    /// Until when the addresses of names are believed; never asked again where there are no names.
    fresh: Option<Instant>,
    /// Why a name has no address.
    pub(super) unresolved: Option<(String, String)>,
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
        let group = Self { description, id, outage: Outage::default(), state };
        let known = group.description.servers.iter().map(|server| match &server.place {
            Place::Fixed(address) => vec![address.clone()],
            Place::Name { .. } => Vec::new(),
        });
        let known = known.collect();
        group.state().update(&group.description.servers, known);
        group
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_names(&self) -> bool {
        self.description.servers.iter().any(|server| matches!(server.place, Place::Name { .. }))
    }

    /// Asks again for the addresses of names, when it is time. One request asks; the others go on
    /// with what is known, if anything is.
    pub(super) async fn refresh(&self) {
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
    pub(super) fn update(&mut self, servers: &[Server], known: Vec<Vec<Address>>) {
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
