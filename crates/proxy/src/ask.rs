//! Asks the peers of a group, one after the other, until one answers.
//!
//! nginx: `ngx_http_upstream_connect` to `ngx_http_upstream_process_header`, and
//! `ngx_http_upstream_next`.

mod journal;

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::forward::{Forward, NextUpstream};
use tidegate_http::client::{ClientError, RequestBody};
use tidegate_http::exchange::UpstreamTry;

use crate::connect::connect;
use crate::content::Content;
use crate::fault::{Condition, Fault};
use crate::link::{Broken, Limits, Link};
use crate::protocol::{Codec, Event, Head};
use crate::upstream::group::{Group, Lease, Selection};
use crate::upstream::keepalive::{self, Connection};
use crate::upstream::peer::Outcome;

/// Everything that is needed to ask.
pub(crate) struct Question<'a> {
    /// Who is asked.
    pub(crate) group: Arc<Group>,
    /// What the group chooses by.
    pub(crate) key: Bytes,
    /// What is asked.
    pub(crate) codec: Rc<dyn Codec>,
    /// The body of it.
    pub(crate) content: Content,
    /// Whether the method may have an effect each time it is sent: POST, LOCK, PATCH.
    pub(crate) unrepeatable: bool,
    /// How it is asked.
    pub(crate) forward: &'a Forward,
    /// What becomes of each try.
    pub(crate) journal: Rc<RefCell<Vec<UpstreamTry>>>,
    /// Where it is told.
    pub(crate) log: &'a dyn Fn(Level, &str),
    /// Scheme and URI of the log's `upstream: "…"`.
    pub(crate) url: (&'static str, Bytes),
    /// What to say when a peer closes without a word.
    pub(crate) hint: Option<String>,
}

/// A peer that answers.
pub(crate) struct Answered {
    /// The connection to it.
    pub(crate) link: Box<Link>,
    /// The head of the answer.
    pub(crate) head: Head,
    /// When the try began.
    pub(crate) begun: Instant,
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
    Peer { fault: Fault, lease: Lease, cached: bool, sent: bool },
    Ours(Unanswered),
}

impl Question<'_> {
    /// Asks until somebody answers.
    pub(crate) async fn ask(
        &self,
        client: &mut (dyn RequestBody + '_),
    ) -> Result<Answered, Unanswered> {
        let started = Instant::now();
        let tries = self.forward.next_upstream_tries as usize;
        let mut way = Selection::new(self.group.clone(), tries, self.key.clone()).await;
        loop {
            let lease = way.pick().map_err(|fault| self.nobody(&fault))?;
            let begun = self.begin(&lease);
            let last = !way.has_another();
            let failed = match self.try_peer(lease, client, begun).await {
                Ok((link, head)) => {
                    let fault = Fault::Status(head.status);
                    if last || !self.may_go_on(&fault, true, started) {
                        let unsent = self.is_live() && !link.is_sent();
                        return Ok(Answered { link, head, begun, unsent });
                    }
                    self.count(&link);
                    let cached = link.is_cached();
                    Failed::Peer { fault, lease: link.into_lease(), cached, sent: true }
                }
                Err(failed) => failed,
            };
            let (fault, lease, cached, sent) = match failed {
                Failed::Ours(unanswered) => {
                    self.ours(unanswered, begun);
                    return Err(unanswered);
                }
                Failed::Peer { fault, lease, cached, sent } => (fault, lease, cached, sent),
            };
            self.note(&fault, begun);
            let outcome = match fault {
                Fault::Status(403 | 404) => Outcome::Passed,
                _ => Outcome::Failed,
            };
            let cached = cached && fault.condition() == Condition::Error;
            if way.give_up(lease, outcome, cached) {
                (self.log)(Level::Warn, "upstream server temporarily disabled");
            }
            if way.is_exhausted() || !self.may_go_on(&fault, sent, started) {
                return Err(Unanswered::Status(fault.status()));
            }
        }
    }

    /// One try at one peer, up to the head of its answer.
    async fn try_peer(
        &self,
        lease: Lease,
        client: &mut (dyn RequestBody + '_),
        begun: Instant,
    ) -> Result<(Box<Link>, Head), Failed> {
        let (group, address) = (lease.group().id, &lease.address);
        let kept = if self.unrepeatable {
            keepalive::take_proven(group, address)
        } else {
            keepalive::take(group, address)
        };
        let connection = match kept {
            Some(connection) => connection,
            None => match self.connect(&lease, client).await? {
                Ok(connection) => connection,
                Err(fault) => {
                    return Err(Failed::Peer { fault, lease, cached: false, sent: false });
                }
            },
        };
        self.current(|current| current.connect_time = Some(begun.elapsed()));
        let payload = self.content.payload();
        let limits = limits(self.forward);
        let mut link = Box::new(Link::new(connection, lease, self.codec.clone(), payload, limits));
        let fault = match self.head(&mut link, client).await? {
            Ok(head) => {
                self.current(|current| {
                    current.header_time = Some(begun.elapsed());
                    current.status = head.status;
                });
                return Ok((link, head));
            }
            Err(Broken::Peer(fault)) => fault,
            Err(Broken::Client(error)) => return Err(Failed::Ours(Unanswered::Client(error))),
            Err(Broken::File(error)) => {
                (self.log)(Level::Alert, &format!("read() of a request body failed ({error})"));
                return Err(Failed::Ours(Unanswered::Status(500)));
            }
        };
        self.count(&link);
        let cached = link.is_cached();
        Err(Failed::Peer { fault, lease: link.into_lease(), cached, sent: true })
    }

    /// Opens a connection, unless the client leaves first.
    async fn connect(
        &self,
        lease: &Lease,
        client: &mut (dyn RequestBody + '_),
    ) -> Result<Result<Connection, Fault>, Failed> {
        let mut connecting = std::pin::pin!(connect(
            &lease.address,
            self.forward.connect_timeout,
            self.forward.socket_keepalive,
        ));
        let stream = poll_fn(|cx| match connecting.as_mut().poll(cx) {
            Poll::Pending => self.poll_gone(client, cx).map(Err),
            done @ Poll::Ready(_) => done.map(Ok),
        });
        Ok(stream.await?.map(Connection::new))
    }

    /// Sends the request and waits for the head of the answer, unless the client leaves first.
    async fn head(
        &self,
        link: &mut Link,
        client: &mut (dyn RequestBody + '_),
    ) -> Result<Result<Head, Broken>, Failed> {
        poll_fn(|cx| {
            loop {
                return match link.poll_event(Some(&mut *client), cx) {
                    Poll::Ready(Ok(Event::Head(head))) => Poll::Ready(Ok(Ok(head))),
                    Poll::Ready(Ok(_)) => continue,
                    Poll::Ready(Err(broken)) => Poll::Ready(Ok(Err(broken))),
                    // While a body is still coming, reading it will tell.
                    Poll::Pending if self.is_live() && !link.is_sent() => Poll::Pending,
                    Poll::Pending => self.poll_gone(client, cx).map(|gone| {
                        self.count(link);
                        Err(gone)
                    }),
                };
            }
        })
        .await
    }

    /// Ready when the client has left and that matters (nginx: `proxy_ignore_client_abort`).
    fn poll_gone(&self, client: &mut (dyn RequestBody + '_), cx: &mut Context<'_>) -> Poll<Failed> {
        if self.forward.ignore_client_abort || self.is_live() {
            return Poll::Pending;
        }
        client.poll_closed(cx).map(|()| Failed::Ours(Unanswered::Gone))
    }

    fn is_live(&self) -> bool {
        matches!(self.content, Content::Live(_))
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

fn limits(forward: &Forward) -> Limits {
    let buffers = &forward.buffers;
    let all = (buffers.number as usize).saturating_mul(buffers.size.0 as usize);
    let head = forward.buffer_size.0 as usize;
    Limits {
        send: forward.send_timeout,
        read: forward.read_timeout,
        head,
        piece: if forward.buffering { all.clamp(4096, 64 * 1024) } else { head },
    }
}

fn allows(next: &NextUpstream, condition: Condition) -> bool {
    match condition {
        Condition::Error => next.error,
        Condition::Timeout => next.timeout,
        Condition::InvalidHeader => next.invalid_header,
        Condition::Http(status) => next.statuses.contains(&status),
        Condition::NoLive => false,
    }
}
