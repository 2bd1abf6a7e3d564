//! Groups of servers, and which of them is asked next.

pub mod balancer;
mod census;
mod checked;
pub mod group;
mod hash;
pub mod health;
mod ip_hash;
pub mod keepalive;
mod least_conn;
mod least_time;
mod memory;
pub mod outage;
pub mod peer;
pub(crate) mod pool;
mod random;
pub mod resolve;
mod ring;
mod round_robin;
pub mod selection;
mod shelf;
pub mod sticky;
mod succession;
pub mod tried;

use std::sync::Arc;

use bytes::Bytes;
use tidegate_config::block::{Http, Upstream};
use tidegate_config::http::upstream::balance::Method;
use tidegate_config::names;
use tidegate_config::value::address::Address as Written;
use tidegate_http::exchange::Exchange;

use crate::connect::Address;
use crate::health_check;
use crate::secure::Clients;
use group::{Description, Group, Place, Server};

/// All groups of a configuration at work, shared by all workers.
#[derive(Debug, Default)]
pub struct Upstreams {
    groups: Vec<Known>,
    /// How TLS is spoken to them.
    pub tls: Clients,
    /// Whether servers were changed while the server runs: it is no reload, and checks that were
    /// passed need not be passed again.
    pub changed: bool,
}

#[derive(Debug)]
struct Known {
    /// What a variable may call it: the name of an `upstream` block, or `host:port`.
    name: String,
    group: Arc<Group>,
    /// Whether it is an `upstream` block.
    defined: bool,
}

impl Upstreams {
    /// The groups of a configuration. Those that `before` has go on, with what is known of their
    /// servers and with their idle connections.
    pub fn new(http: &Http, before: Option<&Self>) -> Self {
        let old: &[Known] = before.map_or(&[], |before| &before.groups);
        let checks = health_check::places(http);
        let groups = http.upstreams.iter().enumerate().map(|(number, upstream)| {
            let description = describe(upstream);
            let same = |known: &&Known| known.group.description == description;
            let group = old.iter().find(same).map(|known| known.group.clone());
            let name = match upstream.servers.servers.as_slice() {
                [only] if !upstream.defined => only.text.clone(),
                _ => upstream.name.clone(),
            };
            let changed = |known: &&Known| {
                let is_block = known.defined && upstream.defined;
                is_block && known.group.description.name == upstream.name
            };
            let group = group.unwrap_or_else(|| {
                if let Some(known) = old.iter().find(changed) {
                    return Arc::new(known.group.followed_by(description));
                }
                let group = Group::new(description);
                group.check_by(health_check::rules(&checks, names::Group(number)));
                Arc::new(group)
            });
            Known { name, group, defined: upstream.defined }
        });
        Self { groups: groups.collect(), ..Self::default() }
    }

    /// A group that a directive names.
    pub fn get(&self, group: names::Group) -> Option<&Arc<Group>> {
        self.groups.get(group.0).map(|known| &known.group)
    }

    /// The groups that `upstream` blocks define.
    pub fn defined(&self) -> impl Iterator<Item = &Arc<Group>> {
        self.groups.iter().filter(|known| known.defined).map(|known| &known.group)
    }

    /// A group that a variable names: `app`, `10.0.0.1:8000`.
    pub fn named(&self, name: &str) -> Option<&Arc<Group>> {
        let mut groups = self.groups.iter();
        groups.find(|known| known.name.eq_ignore_ascii_case(name)).map(|known| &known.group)
    }
}

pub use random::number as number_by_chance;

fn describe(upstream: &Upstream) -> Description {
    let servers = upstream.servers.servers.iter().map(|server| Server {
        name: server.text.clone(),
        place: match place(&server.address, upstream.default_port.unwrap_or(80)) {
            Place::Name { host, port, .. } => {
                Place::Name { host, port, service: server.service.clone() }
            }
            place @ Place::Fixed(_) => place,
        },
        settings: peer::Settings {
            weight: server.weight,
            max_fails: server.max_fails,
            fail_timeout: server.fail_timeout,
            max_conns: server.max_conns,
            down: server.down,
            drain: server.drain,
            slow_start: server.slow_start,
            route: server.route.clone(),
        },
        backup: server.backup,
    });
    let idle = &upstream.keepalive;
    Description {
        name: upstream.name.clone(),
        servers: servers.collect(),
        method: upstream.balance.method.clone(),
        keepalive: keepalive::Settings {
            connections: idle.connections.most as usize,
            local: idle.connections.local,
            requests: idle.requests.into(),
            time: idle.time,
            timeout: idle.timeout,
        },
        resolver: upstream.resolver.clone().map(resolve::Names).unwrap_or_default(),
        sticky: upstream.stickiness.sticky.clone(),
        queue: upstream.queue.queue,
    }
}

/// What a group chooses by, for this request: who the client is, or the text of `hash`.
pub(crate) fn key(ex: &mut Exchange<'_>, group: &Group) -> Bytes {
    match &group.description.method {
        Method::IpHash => ip_hash::key(&ex.remote),
        Method::Hash { key, .. } => ex.render(key),
        _ => Bytes::new(),
    }
}

/// Where a written address is.
pub(crate) fn place(address: &Written, default_port: u16) -> Place {
    match address {
        Written::Unix(path) => Place::Fixed(Address::Unix(path.as_path().into())),
        Written::Ip(address) => Place::Fixed(Address::Tcp(*address)),
        Written::Host { host, port } => {
            Place::Name { host: host.clone(), port: port.unwrap_or(default_port), service: None }
        }
    }
}
