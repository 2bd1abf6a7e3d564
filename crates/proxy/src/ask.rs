//! Asks the peers of a group, one after the other, until one answers.
//!
//! nginx: `ngx_http_upstream_connect` to `ngx_http_upstream_process_header`, and
//! `ngx_http_upstream_next`.

mod attempt;
mod journal;
mod reach;
mod wait;

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::forward::{Forward, NextUpstream};
use tidegate_config::http::upstream_wait::Waiting;
use tidegate_http::client::{ClientError, RequestBody};
use tidegate_http::exchange::{Exchange, UpstreamTry};

use self::journal::Told;
pub(crate) use self::reach::reach;
use self::wait::{End, Wait, later_than};
use crate::connect::Manner;
use crate::fault::{Condition, Fault};
use crate::link::Link;
use crate::outgoing::Outgoing;
use crate::protocol::Head;
use crate::response::Rules;
use crate::secure::Secured;
use crate::upstream::group::Group;
use crate::upstream::peer::Outcome;
use crate::upstream::selection::{Lease, Selection};
use crate::upstream::{self, sticky};

/// Everything that is needed to ask.
pub(crate) struct Question<'a> {
    /// Who is asked.
    pub(crate) group: &'a Arc<Group>,
    /// By what a peer is chosen and reached.
    pub(crate) terms: Terms,
    /// What is asked.
    pub(crate) outgoing: Outgoing,
    /// Whether the method may have an effect each time it is sent: POST, LOCK, PATCH.
    pub(crate) unrepeatable: bool,
    /// How it is asked.
    pub(crate) forward: &'a Forward,
    /// The handshake that comes first, over TLS.
    pub(crate) secured: Option<Secured>,
    /// What of interim answers of status 103 is sent on, where they are.
    pub(crate) hints: Option<&'a Rules<'a>>,
    /// What becomes of each try.
    pub(crate) journal: Rc<RefCell<Vec<UpstreamTry>>>,
    /// Whether the server that is about to be asked may be (nginx: `proxy_allow_upstream`).
    pub(crate) allows: &'a dyn Fn() -> bool,
    /// Where it is told.
    pub(crate) log: &'a dyn Fn(Level, &str),
}

/// By what a peer is chosen and reached, for one request.
pub(crate) struct Terms {
    /// What the group chooses by.
    key: Bytes,
    /// What `sticky` calls the peer that the client is kept with.
    sid: Option<Bytes>,
    /// How connections are made.
    manner: Manner,
    /// How long the request may wait while nobody can be reached.
    waiting: Waiting,
    /// What tells the location from others, where it has idle connections of its own; else 0.
    place: u64,
}

impl Terms {
    /// What the request says, and the configuration where it stands.
    pub(crate) fn of(ex: &mut Exchange<'_>, group: &Group, forward: &Forward) -> Self {
        // A group may have a word of its own on waiting.
        let queue = group.description.queue;
        let queue = queue.map(|queue| Waiting { time: queue.timeout, requests: queue.requests });
        Self {
            key: upstream::key(ex, group),
            sid: sticky::sid(ex, group),
            manner: Manner::of(ex, forward),
            waiting: queue.unwrap_or(ex.location.upstream_wait.waiting),
            place: if group.description.keepalive.local { place(ex) } else { 0 },
        }
    }
}

/// What tells the location of a request from others. Its connections may outlive it over a reload:
/// a new one in its place in memory must not take them for its own.
fn place(ex: &Exchange<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (std::ptr::from_ref(ex.location), std::ptr::from_ref(ex.http)).hash(&mut hasher);
    format!("{:?}", ex.location.name).hash(&mut hasher);
    hasher.finish().max(1)
}

/// A peer that answers.
pub(crate) struct Answered {
    /// The connection to it.
    pub(crate) link: Box<Link>,
    /// The head of the answer.
    pub(crate) head: Head,
    /// Whether more of the request's body is to come from the client.
    pub(crate) unsent: bool,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// Nobody has answered; the client is given this status.
    Status(u16),
    /// The client does not send what it promised.
    Client(ClientError),
    /// The client has left.
    Gone,
}

/// How a try ended without an answer.
enum Failed {
    Peer(Box<Loss>),
    Ours(Unanswered),
}

/// A try that a peer failed.
struct Loss {
    fault: Fault,
    lease: Lease,
    /// Whether it went over an idle connection, which the peer may have closed in the very moment.
    cached: bool,
    /// Whether something was sent.
    sent: bool,
    /// What the peer has said, cut short.
    said: Bytes,
}

impl Question<'_> {
    /// Asks until somebody answers, or until waiting for somebody has no use. What few requests wait
    /// for is boxed, so that the rest of them stay small.
    pub(crate) async fn ask(
        &self,
        client: &mut (dyn RequestBody + '_),
    ) -> Result<Answered, Unanswered> {
        let started = Instant::now();
        let tries = self.forward.next_upstream_tries as usize;
        let before = self.journal.borrow().len();
        let mut wait = Wait::new(self.terms.waiting);
        let mut now = started;
        if self.group.outage.lasts() {
            Box::pin(self.pause(&mut wait, client)).await?;
            now = Instant::now();
        }
        if !self.group.is_fresh() {
            Box::pin(self.group.refresh()).await;
            now = Instant::now();
        }
        let mut way = Selection::begin(self.group, tries, self.terms.key.clone());
        way.keep_with(self.terms.sid.clone());
        if wait.so_far().is_some() {
            way.ask_the_ejected();
        }
        loop {
            let end = match self.round(&mut way, &wait, (started, now), client).await? {
                Ok(answered) => return Ok(answered),
                Err(end) => end,
            };
            if !Box::pin(self.may_come_back(&end, &mut wait, tries, client)).await? {
                self.tell((&end.fault, &end.said), &wait, Told::Last);
                return Err(Unanswered::Status(end.fault.status()));
            }
            self.journal.borrow_mut().truncate(before);
            Box::pin(way.again(self.terms.key.clone())).await;
            way.keep_with(self.terms.sid.clone());
            now = Instant::now();
        }
    }

    /// Asks one peer after the other, until one answers or none is left.
    async fn round(
        &self,
        way: &mut Selection<'_>,
        wait: &Wait,
        (started, mut now): (Instant, Instant),
        client: &mut (dyn RequestBody + '_),
    ) -> Result<Result<Answered, End>, Unanswered> {
        let (mut reached, mut unreached, mut dropped) = (false, false, false);
        // A request that has waited was about to connect all the time.
        let mut begun = if wait.so_far().is_some() { started } else { now };
        loop {
            let lease = match way.pick(now) {
                Ok(lease) => lease,
                Err(fault) => {
                    let later = later_than(&fault, way, (reached, dropped));
                    self.nobody(fault.status());
                    return Ok(Err(End { fault, said: Bytes::new(), later, unreached }));
                }
            };
            self.begin(&lease, begun);
            let loss = match self.try_peer(lease, client, now).await {
                Ok((link, head)) => {
                    let fault = Fault::Status(head.status);
                    if !self.may_go_on(&fault, true, started) || !way.has_another() {
                        let unsent = self.is_live() && !link.is_sent();
                        return Ok(Ok(Answered { link, head, unsent }));
                    }
                    self.count(&link);
                    let cached = link.is_cached();
                    Loss { fault, lease: link.into_lease(), cached, sent: true, said: Bytes::new() }
                }
                Err(Failed::Ours(unanswered)) => {
                    self.ours(unanswered);
                    return Err(unanswered);
                }
                Err(Failed::Peer(loss)) if loss.fault.is_shortage() => {
                    return Err(self.lack(&loss.fault));
                }
                Err(Failed::Peer(loss)) => *loss,
            };
            let Loss { fault, lease, cached, sent, said } = loss;
            self.end(fault.status());
            let outcome = match fault {
                Fault::Status(403 | 404) | Fault::Denied => Outcome::Passed,
                _ => Outcome::Failed,
            };
            let cached = cached && fault.condition() == Condition::Error;
            let ejected = way.give_up(lease, outcome, cached);
            reached |= !fault.is_unreachable();
            unreached |= fault.is_unreachable();
            let goes_on = self.may_go_on(&fault, sent, started);
            let silent = sent && said.is_empty() && fault.condition() == Condition::Error;
            // Who has gone since was most likely taken along by the same restart.
            dropped = goes_on && (silent || dropped && fault.is_unreachable());
            if way.is_exhausted() || !goes_on {
                let later = later_than(&fault, way, (reached, dropped));
                return Ok(Err(End { fault, said, later, unreached }));
            }
            self.tell((&fault, &said), wait, Told::PassedOver);
            if ejected {
                (self.log)(Level::Warn, "upstream server temporarily disabled");
            }
            now = Instant::now();
            begun = now;
        }
    }

    /// Whether `*_next_upstream` lets another peer be asked.
    fn may_go_on(&self, fault: &Fault, sent: bool, started: Instant) -> bool {
        let next = &self.forward.next_upstream;
        let limit = self.forward.next_upstream_timeout;
        allows(next, fault.condition())
            && !(sent && self.unrepeatable && !next.non_idempotent)
            && !(sent && self.is_live())
            && (limit.is_zero() || started.elapsed() < limit)
    }
}

fn allows(next: &NextUpstream, condition: Condition) -> bool {
    match condition {
        Condition::Error => next.error,
        Condition::Timeout => next.timeout,
        Condition::InvalidHeader => next.invalid_header,
        Condition::Http(status) => next.statuses.contains(&status),
        Condition::Denied => true,
        Condition::NoLive => false,
    }
}
