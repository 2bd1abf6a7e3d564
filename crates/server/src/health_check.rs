//! `health_check`: the checks of a configuration go on for as long as it holds.
//!
//! One worker makes them for all; what they find out is shared.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate_config::http::error_log::Level;
use tidegate_http::client::{Connection, Endpoint, NoBody};
use tidegate_http::exchange::Exchange;
use tidegate_proxy::health_check::{self, Doubt, Target, places};
use tidegate_proxy::upstream::group::Group;
use tidegate_proxy::upstream::health::Change;
use tidegate_proxy::upstream::keepalive;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::runtime::Generation;

/// The checks of a configuration; they end with the value.
pub(crate) struct Checks {
    _tasks: JoinSet<()>,
}

impl Checks {
    /// Starts them, for a configuration that holds from now on.
    pub(crate) fn start(generation: &Rc<Generation>) -> Self {
        health_check::adopt(&generation.http, &generation.upstreams);
        let mut tasks = JoinSet::new();
        for number in 0..places(&generation.http).len() {
            tasks.spawn_local(watch(Rc::clone(generation), number));
        }
        Self { _tasks: tasks }
    }
}

/// What one check has at hand of each server: nothing while it is being asked, else perhaps a
/// connection.
type Hands = Rc<RefCell<HashMap<u64, Option<keepalive::Connection>>>>;

/// Checks the servers of one group, again and again.
async fn watch(generation: Rc<Generation>, number: usize) {
    let places = places(&generation.http);
    let Some(place) = places.get(number) else { return };
    let Some(group) = generation.upstreams.get(place.group) else { return };
    let (interval, jitter) = (place.check.interval, place.check.jitter);
    let (hands, asked) = (Hands::default(), Hands::default());
    let mut probes = JoinSet::new();
    loop {
        group.refresh().await;
        let known = group.to_check();
        // A connection of a server that is gone is of no use.
        hands.borrow_mut().retain(|id, _| known.iter().any(|(known, _)| known == id));
        for (id, address) in known {
            if asked.borrow().contains_key(&id) {
                continue;
            }
            asked.borrow_mut().insert(id, None);
            let asking = Asking { id, asked: Rc::clone(&asked) };
            let target = Target { group: Arc::clone(group), id, address };
            let probe = probe(Rc::clone(&generation), number, target, Rc::clone(&hands));
            probes.spawn_local(async move {
                let _asking = asking;
                sleep(by_chance(jitter)).await;
                probe.await;
            });
        }
        let mut pause = pin!(sleep(interval));
        loop {
            tokio::select! {
                () = &mut pause => break,
                Some(_) = probes.join_next() => {}
            }
        }
    }
}

/// A server that is being asked, until this is dropped.
struct Asking {
    id: u64,
    asked: Hands,
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.asked.borrow_mut().remove(&self.id);
    }
}

/// Checks one server once.
async fn probe(generation: Rc<Generation>, number: usize, target: Target, hands: Hands) {
    let places = places(&generation.http);
    let Some(place) = places.get(number) else { return };
    let own = Endpoint::Ip(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0));
    let connection = Connection {
        number: 0,
        peer: own.clone(),
        local: own,
        started: Instant::now(),
        tls: None,
        to_tls: false,
        proxy_protocol: None,
        debug: false,
        transport: None,
    };
    let head = health_check::head(place.check);
    let (http, logs) = (&*generation.http, &generation.logs);
    let mut ex =
        Exchange::new((http, logs), &connection, place.server, Box::new(head), Box::new(NoBody));
    ex.location = place.location;
    ex.site = Some(&*generation);
    let keep = place.check.keepalive_time;
    let kept = hands.borrow_mut().remove(&target.id).flatten();
    let kept = kept.filter(|kept| kept.opened.elapsed() < keep && kept.stream.is_idle());
    let of = (target.address.clone(), Arc::clone(&target.group), target.id);
    let (good, left) =
        health_check::probe(&mut ex, (place, &generation.upstreams), target, kept).await;
    let (address, group, id) = of;
    if left.is_some() {
        hands.borrow_mut().insert(id, left);
    }
    let why = match good {
        Ok(()) => None,
        Err(Doubt::Unwell(why)) => Some(why),
        Err(Doubt::Unasked(why)) => {
            let text = format!("{why}; peer {address} was not checked");
            logs.tell(Level::Alert, &text);
            return;
        }
    };
    let (level, text) = match group.report(id, place.number, why.is_none()) {
        None => return,
        Some(Change::Healthy) => (Level::Notice, "peer is healthy".to_owned()),
        Some(Change::Unhealthy) => {
            (Level::Warn, format!("peer is unhealthy: {}", why.unwrap_or_default()))
        }
    };
    let name = place.check.expected.as_ref().map_or("", |word| &word.text);
    let upstream = &group.description.name;
    let text =
        format!("{text}, health check \"{name}\" of peer {address} in upstream \"{upstream}\"");
    logs.tell(level, &text);
}

/// A part of a time that nobody foresees.
fn by_chance(most: Duration) -> Duration {
    most.mul_f64(f64::from(tidegate_proxy::upstream::number_by_chance()) / f64::from(u32::MAX))
}

/// How the servers of all groups that a configuration defines are, for people.
pub(crate) fn told<'a>(groups: impl Iterator<Item = &'a Arc<Group>>) -> String {
    let mut text = String::new();
    for group in groups {
        let _ = writeln!(text, "upstream {}:", group.description.name);
        for server in group.standing() {
            let backup = if server.backup { ", backup" } else { "" };
            let (address, state, open) = (server.address, server.state, server.connections);
            let _ = writeln!(text, "  {address} {state}{backup}, {open} connections");
        }
    }
    text
}
