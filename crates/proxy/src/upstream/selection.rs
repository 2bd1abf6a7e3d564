//! One request's way through a group of servers.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tidegate_config::http::upstream::balance::Answered;

use super::balancer::Balancer;
use super::group::Group;
use super::peer::Outcome;
use super::tried::Tried;
use crate::connect::Address;
use crate::fault::Fault;

/// One request's way through a group.
#[derive(Debug)]
pub struct Selection<'a> {
    /// Borrowed: other workers count who holds it, too.
    group: &'a Arc<Group>,
    tried: Tried,
    limit: usize,
    /// What `ip_hash` and `hash` choose by, until the first peer has been chosen.
    key: Option<Bytes>,
    /// How many peers may still be tried, the present one included; counted when that matters.
    tries: Option<usize>,
}

impl<'a> Selection<'a> {
    /// Begins, once names have been looked up if it is time.
    pub async fn new(group: &'a Arc<Group>, limit: usize, key: Bytes) -> Self {
        group.succeed();
        group.refresh().await;
        Self::begin(group, limit, key)
    }

    /// Begins with the addresses that are known; at most `limit` peers are tried (nginx:
    /// `proxy_next_upstream_tries`, 0: no limit). The key is what `ip_hash` and `hash` choose by.
    pub fn begin(group: &'a Arc<Group>, limit: usize, key: Bytes) -> Self {
        group.succeed();
        Self { group, tried: Tried::default(), limit, key: Some(key), tries: None }
    }

    /// Begins anew after a pause: all may be asked again, and names have been looked up if it is
    /// time.
    pub async fn again(&mut self, key: Bytes) {
        *self = Self::new(self.group, self.limit, key).await;
        self.ask_the_ejected();
    }

    /// From now on the ejected are asked, too.
    pub fn ask_the_ejected(&mut self) {
        self.tried.asks_the_ejected();
    }

    /// Whether every server that is not marked down has been asked.
    pub fn has_asked_all(&self) -> bool {
        self.group.state().balancer.has_asked_all(&self.tried)
    }

    /// Whether some server has no room for one more request.
    pub fn is_held_up(&self) -> bool {
        self.group.state().balancer.is_held_up()
    }

    /// Whether some server may be asked once its checks say so.
    pub fn awaits_checks(&self) -> bool {
        self.group.state().balancer.awaits_checks()
    }

    /// The group.
    pub fn group(&self) -> &Arc<Group> {
        self.group
    }

    /// Chooses the next peer.
    pub fn pick(&mut self, now: Instant) -> Result<Lease, Fault> {
        let mut state = self.group.state();
        if let Some(key) = self.key.take() {
            state.balancer.begin(&mut self.tried, key);
        }
        if let Some((id, address)) = state.balancer.pick(&mut self.tried, now) {
            let begun = state.balancer.is_timed().then_some(now);
            let is_sticky = self.group.description.sticky.is_some();
            let sid = is_sticky.then(|| state.balancer.sid(id)).flatten();
            return Ok(Lease { group: self.group.clone(), id, address, sid, begun, over: false });
        }
        Err(match &state.unresolved {
            Some((host, reason)) if state.balancer.primary.is_empty() => {
                Fault::Unresolved { host: host.clone(), reason: reason.clone() }
            }
            _ => Fault::NoLive,
        })
    }

    /// The client is kept with the peer that is called so.
    pub fn keep_with(&mut self, sid: Option<Bytes>) {
        self.tried.keep_with(sid);
    }

    /// Whether another peer may be tried, if this one is given up.
    pub fn has_another(&self) -> bool {
        self.tries.unwrap_or_else(|| self.all_tries(&self.group.state().balancer)) > 1
    }

    fn all_tries(&self, balancer: &Balancer) -> usize {
        let all = balancer.tries();
        if self.limit == 0 { all } else { all.min(self.limit) }
    }

    /// Ends a try that brought no answer; says whether the peer is ejected by it.
    ///
    /// `cached` says that the connection was an idle one, which the peer may have closed in the
    /// very moment: such a try does not count.
    pub fn give_up(&mut self, mut lease: Lease, outcome: Outcome, cached: bool) -> bool {
        let mut state = self.group.state();
        let before = self.tries.unwrap_or_else(|| self.all_tries(&state.balancer));
        let left = if state.balancer.is_single() { 0 } else { before.saturating_sub(1) };
        self.tries = Some(left + usize::from(cached));
        lease.over = true;
        state.balancer.free(lease.id, outcome, Instant::now())
    }

    /// Whether a try is left after [`Selection::give_up`].
    pub fn is_exhausted(&self) -> bool {
        self.tries == Some(0)
    }
}

/// A peer in use. It counts as having answered unless it is given up.
#[derive(Debug)]
pub struct Lease {
    group: Arc<Group>,
    id: u64,
    /// Where it is.
    pub address: Address,
    /// What `sticky` calls it, where that matters.
    pub sid: Option<Arc<str>>,
    /// When it was chosen, where times are of use.
    begun: Option<Instant>,
    over: bool,
}

impl Lease {
    /// A peer that is asked aside, which nobody counts.
    pub(crate) fn aside(group: Arc<Group>, id: u64, address: Address) -> Self {
        Self { group, id, address, sid: None, begun: None, over: true }
    }

    /// The group of the peer.
    pub fn group(&self) -> &Group {
        &self.group
    }

    /// The group, to be held longer.
    pub(crate) fn shared_group(&self) -> &Arc<Group> {
        &self.group
    }

    /// The head of its answer has come, or the end.
    pub fn answered(&self, when: Answered) {
        if let Some(begun) = self.begun {
            self.group.state().balancer.took(self.id, begun.elapsed(), when);
        }
    }

    /// Ends the use of the peer, which has answered; the group goes on with its address.
    pub fn end(&mut self, now: Instant) {
        if !std::mem::replace(&mut self.over, true) {
            self.answered(Answered::LastByte);
            self.group.state().balancer.free(self.id, Outcome::Answered, now);
            self.group.outage.free();
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.over {
            self.end(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use tidegate_config::http::upstream::balance::Method;

    use super::*;
    use crate::upstream::group::{Description, Member, Place, Server};
    use crate::upstream::keepalive;
    use crate::upstream::peer::Settings;

    fn server(place: Place) -> Server {
        Server { name: String::new(), place, settings: Settings::default(), backup: false }
    }

    fn group(servers: Vec<Server>) -> Arc<Group> {
        let (method, keepalive) = (Method::default(), keepalive::Settings::default());
        Arc::new(Group::new(Description {
            name: "app".into(),
            servers,
            method,
            keepalive,
            resolver: crate::upstream::resolve::Names::default(),
            sticky: None,
            queue: None,
        }))
    }

    fn port(port: u16) -> Server {
        server(Place::Fixed(Address::Tcp(([127, 0, 0, 1], port).into())))
    }

    #[tokio::test]
    async fn a_request_goes_on_until_the_group_or_its_limit_ends() {
        let group = group(vec![port(1), port(2), port(3)]);
        let mut way = Selection::new(&group, 2, Bytes::new()).await;
        let first = way.pick(Instant::now()).unwrap();
        assert!(way.has_another());
        assert!(way.give_up(first, Outcome::Failed, false));
        let second = way.pick(Instant::now()).unwrap();
        assert!(!way.has_another());
        way.give_up(second, Outcome::Failed, false);
        assert!(way.is_exhausted());
        let mut way = Selection::new(&group, 0, Bytes::new()).await;
        // The one that is left comes first, then those that failed others.
        let order = [way.pick(Instant::now()), way.pick(Instant::now()), way.pick(Instant::now())]
            .map(|lease| lease.unwrap().address.to_string());
        assert_eq!(order, ["127.0.0.1:3", "127.0.0.1:1", "127.0.0.1:2"]);
        assert!(matches!(way.pick(Instant::now()), Err(Fault::NoLive)));
    }

    #[tokio::test]
    async fn an_idle_connection_that_fails_is_no_try() {
        let group = group(vec![port(1)]);
        let mut way = Selection::new(&group, 0, Bytes::new()).await;
        let lease = way.pick(Instant::now()).unwrap();
        way.give_up(lease, Outcome::Failed, true);
        assert!(!way.is_exhausted());
        let lease = way.pick(Instant::now()).unwrap();
        way.give_up(lease, Outcome::Failed, false);
        assert!(way.is_exhausted());
    }

    #[tokio::test]
    async fn a_name_that_does_not_resolve_fails_alone() {
        let lost =
            || server(Place::Name { host: "no-such-host.invalid".into(), port: 80, service: None });
        let one = group(vec![lost()]);
        let mut way = Selection::new(&one, 0, Bytes::new()).await;
        let fault = way.pick(Instant::now()).unwrap_err();
        assert!(fault.to_string().starts_with("no-such-host.invalid could not be resolved ("));
        assert_eq!(fault.status(), 502);
        let both = group(vec![lost(), port(2)]);
        let way = tokio::task::LocalSet::new();
        let mut way = way.run_until(Selection::new(&both, 0, Bytes::new())).await;
        assert_eq!(way.pick(Instant::now()).unwrap().address.to_string(), "127.0.0.1:2");
    }

    #[tokio::test]
    async fn what_is_known_of_a_peer_outlives_a_new_lookup() {
        let group = group(vec![port(1), port(2)]);
        let mut way = Selection::new(&group, 0, Bytes::new()).await;
        let lease = way.pick(Instant::now()).unwrap();
        way.give_up(lease, Outcome::Failed, false);
        let known = vec![
            vec![Member::at(Address::Tcp(([127, 0, 0, 1], 1).into()))],
            vec![Member::at(Address::Tcp(([127, 0, 0, 1], 9).into()))],
        ];
        group.state().update(&group.description.servers, known);
        let mut way = Selection::new(&group, 0, Bytes::new()).await;
        assert_eq!(way.pick(Instant::now()).unwrap().address.to_string(), "127.0.0.1:9");
    }
}
