//! A group of servers as all workers share it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tidegate_config::http::upstream::balance::Method;
use tidegate_config::http::upstream::queue::Queue;
use tidegate_config::http::upstream::sticky::Sticky;
use tokio::sync::Mutex as AsyncMutex;

use super::balancer::Balancer;
use super::health::{Health, Rule};
use super::keepalive;
use super::outage::Outage;
use super::peer::{Peer, Settings};
use super::resolve;
use super::sticky::Sessions;
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
    /// Who is asked for the addresses of names.
    pub resolver: resolve::Names,
    /// How a client is kept with one of them.
    pub sticky: Option<Sticky>,
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
        /// `service=`: the addresses and ports are those of SRV records.
        service: Option<String>,
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
    pub outage: Arc<Outage>,
    /// What `sticky learn` has learned.
    pub sessions: Arc<Sessions>,
    /// Whether it is to take the place of one that a reload has changed.
    pub(super) follows: AtomicBool,
    /// Whether servers are called by names, whose addresses change.
    pub(super) has_names: bool,
    /// Held while names are asked for, where nothing is known yet.
    pub(super) asking: AsyncMutex<()>,
    pub(super) state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) balancer: Balancer,
    last_peer: u64,
    /// The `server` lines that the peers are of, as written.
    pub(super) lines: Vec<String>,
    /// Until when the addresses of names are believed; never asked again where there are no names.
    pub(super) fresh: Option<Instant>,
    /// Why a name has no address.
    pub(super) unresolved: Option<(String, resolve::Reason)>,
    /// What checks go by.
    pub(super) rules: Vec<Rule>,
}

impl Description {
    /// Chooses among its servers, none of which has an address yet.
    pub(super) fn balancer(&self) -> Balancer {
        let weight = |server: &Server| if server.backup { 0 } else { server.settings.weight };
        let servers = self.servers.iter().map(|server| (&*server.name, weight(server)));
        Balancer::new(self.method.clone(), servers)
    }
}

static LAST_GROUP: AtomicU64 = AtomicU64::new(0);

impl Group {
    /// A group without a past.
    pub fn new(description: Description) -> Self {
        let id = LAST_GROUP.fetch_add(1, Ordering::Relaxed);
        let state = State { balancer: description.balancer(), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let is_name = |server: &Server| matches!(server.place, Place::Name { .. });
        let group = Self {
            has_names: description.servers.iter().any(is_name),
            description,
            id,
            outage: Arc::default(),
            sessions: Arc::default(),
            follows: AtomicBool::new(false),
            asking: AsyncMutex::default(),
            state,
        };
        let known = group.description.servers.iter().map(|server| match &server.place {
            Place::Fixed(address) => vec![Member::at(address.clone())],
            Place::Name { .. } => Vec::new(),
        });
        let known = known.collect();
        group.state().update(&group.description.servers, known);
        group
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the addresses of its servers are known and believed, so that [`Group::refresh`] has
    /// nothing to do.
    pub fn is_fresh(&self) -> bool {
        !self.has_names || self.state().fresh.is_some_and(|fresh| fresh > Instant::now())
    }

    /// Asks again for the addresses of names, when it is time. One request asks; the others go on
    /// with what is known, and wait for it only where nothing is.
    pub async fn refresh(self: &Arc<Self>) {
        if !self.has_names {
            return;
        }
        let is_known = {
            let mut state = self.state();
            let now = Instant::now();
            if state.fresh.is_some_and(|fresh| fresh > now) {
                return;
            }
            let is_known = !(state.balancer.primary.is_empty() && state.balancer.backup.is_empty());
            if is_known {
                state.fresh = Some(now + self.description.resolver.0.timeout + resolve::FAILED);
            }
            is_known
        };
        if is_known {
            // It ends with its timeout at the latest.
            let group = self.clone();
            tokio::task::spawn_local(async move { group.ask_for_addresses().await });
            return;
        }
        let _asking = self.asking.lock().await;
        if self.state().fresh.is_none_or(|fresh| fresh <= Instant::now()) {
            self.ask_for_addresses().await;
        }
    }

    async fn ask_for_addresses(&self) {
        let mut known = Vec::with_capacity(self.description.servers.len());
        let (mut unresolved, mut fresh) = (None, None);
        for server in &self.description.servers {
            known.push(match &server.place {
                Place::Fixed(address) => vec![Member::at(address.clone())],
                Place::Name { host, port, service } => {
                    let resolver = &self.description.resolver.0;
                    let at = (host.as_str(), *port);
                    let (found, until) = resolve::lookup(at, service.as_deref(), resolver).await;
                    fresh = fresh.filter(|fresh| *fresh < until).or(Some(until));
                    found.map_or_else(
                        |reason| {
                            unresolved = Some((host.clone(), reason));
                            Vec::new()
                        },
                        |places| places.into_iter().map(Member::from).collect(),
                    )
                }
            });
        }
        let mut state = self.state();
        state.update(&self.description.servers, known);
        state.fresh = fresh;
        state.unresolved = unresolved;
    }
}

/// One address of a server line, with what its SRV record says.
#[derive(Clone, Debug)]
pub(super) struct Member {
    address: Address,
    weight: Option<u32>,
    backup: bool,
}

impl Member {
    /// A plain address.
    pub(super) fn at(address: Address) -> Self {
        Self { address, weight: None, backup: false }
    }
}

impl From<resolve::Place> for Member {
    fn from(place: resolve::Place) -> Self {
        let resolve::Place { address, weight, backup } = place;
        Self { address: Address::Tcp(address), weight, backup }
    }
}

impl State {
    /// Takes over the addresses of each server; what is known of a peer stays with it. A name that
    /// has lost all its addresses keeps the old ones: they are more than none.
    pub(super) fn update(&mut self, servers: &[Server], known: Vec<Vec<Member>>) {
        self.lines = servers.iter().map(|server| server.name.clone()).collect();
        let Balancer { primary, backup, .. } = &mut self.balancer;
        let mut old: Vec<(Peer, bool)> = primary.drain(..).map(|peer| (peer, false)).collect();
        old.extend(backup.drain(..).map(|peer| (peer, true)));
        for (number, (server, members)) in servers.iter().zip(known).enumerate() {
            let (mut mine, others): (Vec<_>, Vec<_>) =
                old.into_iter().partition(|(peer, _)| peer.server == number);
            old = others;
            if !members.is_empty() {
                let new = members.into_iter().map(|member| {
                    let is_backup = server.backup || member.backup;
                    let same = |(peer, _): &(Peer, bool)| peer.address == member.address;
                    let mut settings = server.settings.clone();
                    settings.weight = member.weight.unwrap_or(settings.weight);
                    if let Some(known) = mine.iter().position(same) {
                        let mut peer = mine.swap_remove(known).0;
                        peer.is_described(settings);
                        return (peer, is_backup);
                    }
                    self.last_peer += 1;
                    let mut peer = Peer::new(self.last_peer, number, member.address, settings);
                    peer.health = Health::new(&self.rules);
                    (peer, is_backup)
                });
                mine = new.collect();
            }
            for (peer, is_backup) in mine {
                if is_backup { &mut *backup } else { &mut *primary }.push(peer);
            }
        }
    }
}
