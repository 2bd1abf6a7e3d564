//! One try at one peer: a connection, the request, and the head of the answer.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::upstream::balance::Answered;
use tidegate_http::boxed::boxed;
use tidegate_http::client::RequestBody;
use tokio::time::Instant as Moment;

use super::reach::shaken;
use super::{Failed, Loss, Question, Unanswered};
use crate::connect::{Address, Opening, open};
use crate::content::Content;
use crate::fault::{Action, Fault};
use crate::http2::Session;
use crate::link::{Broken, Limits, Link};
use crate::protocol::{Event, Head, Invalid, told};
use crate::response;
use crate::silence::Silence;
use crate::stream::Stream;
use crate::upstream::keepalive::{self, Connection, Wanted};
use crate::upstream::selection::Lease;

/// So many times what is sent on of interim answers is read; more would be an endless wait.
const ENDLESS: usize = 16;

/// What is told of those that are not sent on.
const TOO_BIG: &str =
    "upstream sent too big early hints while reading response header from upstream";

impl Failed {
    /// A peer that nothing was sent to.
    fn before(fault: Fault, lease: Lease) -> Self {
        let (cached, sent, said) = (false, false, Bytes::new());
        Self::Peer(Box::new(Loss { fault, lease, cached, sent, said }))
    }
}

impl Question<'_> {
    /// One try at one peer, up to the head of its answer.
    pub(super) async fn try_peer(
        &self,
        lease: Lease,
        client: &mut (dyn RequestBody + '_),
        now: Instant,
    ) -> Result<(Box<Link>, Head), Failed> {
        if !(self.allows)() {
            return Err(Failed::before(Fault::Denied, lease));
        }
        let (connection, reached) = match self.kept(&lease, now) {
            Some(connection) => (connection, now),
            None => match self.open(&lease.address) {
                Ok(opening) if self.is_plain() => {
                    match self.plain(opening, &lease.address, client, now).await? {
                        Ok(reached) => reached,
                        Err(fault) => return Err(Failed::before(fault, lease)),
                    }
                }
                // Boxed, for most requests need none.
                opening => match Box::pin(self.connect(opening, &lease, client)).await? {
                    Ok(connection) => (Box::new(connection), Instant::now()),
                    Err(fault) => return Err(Failed::before(fault, lease)),
                },
            },
        };
        if self.outgoing.content.len() != Some(0) {
            // Where it cannot be said, packets wait a little.
            let _ = connection.stream.hurry();
        }
        self.current(|current| current.connected = Some(reached));
        let payload = self.outgoing.content.payload();
        let limits = Limits::of(self.forward);
        let codec = self.outgoing.codec.clone();
        let mut link = boxed(|| Link::new(connection, lease, codec, payload, limits));
        link.now = Some(reached);
        let fault = match self.head(&mut link, client).await? {
            Ok(head) => {
                let now = Instant::now();
                link.now = Some(now);
                self.current(|current| {
                    current.answered = Some(now);
                    current.status = head.status;
                });
                self.doubt(&head);
                link.lease().answered(Answered::Header);
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
        let (cached, said) = (link.is_cached(), Bytes::copy_from_slice(link.said()));
        let lease = link.into_lease();
        let sent = self.is_live() || !fault.is_unseen();
        Err(Failed::Peer(Box::new(Loss { fault, lease, cached, sent, said })))
    }

    /// Begins to open a connection; where nothing is left to do so by, an idle one gives way.
    fn open(&self, address: &Address) -> Result<Opening, Fault> {
        match open(address, self.terms.manner) {
            Err(fault) if fault.is_shortage() && keepalive::let_go() => {
                open(address, self.terms.manner)
            }
            opened => opened,
        }
    }

    /// An idle connection to the peer.
    fn kept(&self, lease: &Lease, now: Instant) -> Option<Box<Connection>> {
        let codec = &self.outgoing.codec;
        if !codec.keeps() {
            return None;
        }
        let (group, address) = (lease.group().id ^ self.terms.place, &lease.address);
        let (secured, from) = (self.secured.as_ref(), self.terms.manner.from);
        let wanted = Wanted { group, address, secured, from, now };
        let kept = if self.unrepeatable {
            wanted.take_proven()
        } else if self.forward.next_upstream.error && !self.is_live() {
            wanted.take_repeatable()
        } else {
            wanted.take()
        };
        // Of a group that is asked over several versions of HTTP, each has its own.
        let head = Limits::of(self.forward).head;
        kept.filter(|kept| kept.stream.takes(codec.http2().is_some(), head))
    }

    /// Whether what is sent goes over a bare socket.
    fn is_plain(&self) -> bool {
        self.secured.is_none() && self.outgoing.codec.http2().is_none()
    }

    /// A connection over a bare socket and when it was there, unless the client leaves first.
    async fn plain(
        &self,
        opening: Opening,
        address: &Address,
        client: &mut (dyn RequestBody + '_),
        mut now: Instant,
    ) -> Result<Result<(Box<Connection>, Instant), Fault>, Failed> {
        let (stream, is_open) = match opening {
            Opening::Open(stream) => (stream, true),
            Opening::Pending(stream) => (stream, false),
        };
        let mut connection = Box::new(self.connection(stream, now));
        if !is_open {
            let patience = self.forward.connect_timeout;
            let opened = poll_fn(|cx| {
                let Connection { stream, silence, .. } = &mut *connection;
                if let Poll::Ready(opened) = stream.poll_connected(cx) {
                    let fault = |error| Fault::Connect { to: address.clone(), error };
                    return Poll::Ready(Ok(opened.map_err(fault)));
                }
                // Its timer goes on to be that of what is sent and read.
                if silence.poll_over(cx, patience, || Moment::from_std(now)).is_ready() {
                    return Poll::Ready(Ok(Err(Fault::TimedOut(Action::Connecting))));
                }
                self.poll_gone(client, cx).map(Err)
            });
            if let Err(fault) = opened.await? {
                return Ok(Err(fault));
            }
            connection.silence.broken();
            now = Instant::now();
        }
        self.reached();
        Ok(Ok((connection, now)))
    }

    fn connection(&self, stream: Stream, opened: Instant) -> Connection {
        let (place, from) = (self.terms.place, self.terms.manner.from);
        Connection { place, from, silence: Silence::spare(), ..Connection::new(stream, opened) }
    }

    /// A peer has taken a connection.
    fn reached(&self) {
        if self.group.outage.lasts()
            && let Some(time) = self.group.outage.end(Instant::now())
        {
            self.reached_again(time);
        }
    }

    /// Opens a connection, unless the client leaves first.
    async fn connect(
        &self,
        opening: Result<Opening, Fault>,
        lease: &Lease,
        client: &mut (dyn RequestBody + '_),
    ) -> Result<Result<Connection, Fault>, Failed> {
        let opening = match opening {
            Ok(opening) => opening,
            Err(fault) => return Ok(Err(fault)),
        };
        let http2 = self.outgoing.codec.http2().is_some();
        let to = (&lease.address, self.forward.connect_timeout);
        let mut connecting = std::pin::pin!(shaken(opening, to, self.secured.as_ref(), http2));
        let stream = poll_fn(|cx| match connecting.as_mut().poll(cx) {
            Poll::Pending => self.poll_gone(client, cx).map(Err),
            done @ Poll::Ready(_) => done.map(Ok),
        });
        let mut connection = match stream.await? {
            Ok(stream) => self.connection(stream, Instant::now()),
            Err(fault) => return Ok(Err(fault)),
        };
        self.reached();
        if http2 {
            let head = Limits::of(self.forward).head;
            connection.stream = match Session::open(connection.stream, head).await {
                Ok(session) => Stream::Http2(session),
                Err(fault) => return Ok(Err(fault)),
            };
        }
        Ok(Ok(connection))
    }

    /// Sends the request and waits for the head of the answer, unless the client leaves first.
    fn head(
        &self,
        link: &mut Link,
        client: &mut (dyn RequestBody + '_),
    ) -> impl Future<Output = Result<Result<Head, Broken>, Failed>> {
        let (most, mut hinted) = (self.forward.buffer_size.0 as usize, 0);
        poll_fn(move |cx| {
            loop {
                return match link.poll_event(Some(&mut *client), cx) {
                    Poll::Ready(Ok(Event::Head(head))) => Poll::Ready(Ok(Ok(head))),
                    Poll::Ready(Ok(Event::Told(text))) => {
                        let text = told(&text);
                        let text = format!("{text} while reading response header from upstream");
                        (self.log)(Level::Error, &text);
                        continue;
                    }
                    Poll::Ready(Ok(Event::Hint(hint))) => {
                        hinted += hint.size;
                        if hinted > most * ENDLESS {
                            let (reason, action) = (Invalid::TooBig, Action::ReadingHeader);
                            let fault = Fault::Invalid { reason, action };
                            return Poll::Ready(Ok(Err(Broken::Peer(fault))));
                        }
                        if let Some(rules) = self.hints.filter(|_| hint.status == 103) {
                            if hinted <= most {
                                client.hint(&response::hints(&hint.headers, rules));
                            } else {
                                (self.log)(Level::Info, TOO_BIG);
                            }
                        }
                        continue;
                    }
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
    }

    /// Ready when the client has left and that matters (nginx: `proxy_ignore_client_abort`).
    fn poll_gone(&self, client: &mut (dyn RequestBody + '_), cx: &mut Context<'_>) -> Poll<Failed> {
        if self.forward.ignore_client_abort {
            return Poll::Pending;
        }
        client.poll_closed(cx).map(|()| Failed::Ours(Unanswered::Gone))
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.outgoing.content, Content::Live(_))
    }
}
