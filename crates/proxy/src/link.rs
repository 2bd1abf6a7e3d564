//! One request out and its answer back, on one connection, reading while writing.

mod end;
mod http2;
mod limits;
mod spare;

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::BytesMut;
use tidegate_http::client::{ClientError, RequestBody};
use tidegate_http::receive::make_room;
use tokio::time::Instant as Moment;
use tokio_util::io::poll_read_buf;

pub(crate) use limits::Limits;

use crate::fault::{Action, Fault};
use crate::outbox::{Outbox, Payload, Progress, Unsent};
use crate::protocol::{Codec, Decode, Event, Invalid};
use crate::upstream::keepalive::Connection;
use crate::upstream::selection::Lease;

/// Why an exchange failed.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The peer is to blame.
    Peer(Fault),
    /// The client does not send what it promised.
    Client(ClientError),
    /// Our own file cannot be read.
    File(io::Error),
}

/// One exchange with a peer.
pub(crate) struct Link {
    connection: Box<Connection>,
    lease: Lease,
    outbox: Outbox,
    sending: Progress,
    /// The peer takes no more; its answer may be on the way all the same.
    refused: Option<io::Error>,
    /// Whether it wants no more, over HTTP/2.
    unwanted: bool,
    decoder: Box<dyn Decode>,
    /// The exchange, where it is a stream of HTTP/2.
    http2: Option<Box<http2::Exchange>>,
    inbox: BytesMut,
    /// The peer has closed its side.
    ended: bool,
    action: Action,
    limits: Limits,
    /// Whether so little was read at a time that the memory may be used again.
    is_small: bool,
    /// The time when it began or the head came, as long as that is the time.
    pub(crate) now: Option<Instant>,
    /// How many bytes the peer has sent.
    pub(crate) received: u64,
    /// The first of them.
    first: [u8; FIRST],
}

/// So many bytes tell what somebody speaks.
const FIRST: usize = 16;

impl Link {
    /// Begins an exchange; nothing is sent before the first poll.
    pub(crate) fn new(
        connection: Box<Connection>,
        lease: Lease,
        codec: Rc<dyn Codec>,
        payload: Payload,
        limits: Limits,
    ) -> Self {
        let decoder = codec.decoder(limits.head);
        let http2 = codec.http2().is_some().then(Box::default);
        Self {
            connection,
            lease,
            outbox: Outbox::new(codec, payload),
            sending: Progress::Peer,
            refused: None,
            unwanted: false,
            decoder,
            http2,
            inbox: spare::take(),
            ended: false,
            action: Action::Sending,
            limits,
            is_small: true,
            now: None,
            received: 0,
            first: [0; FIRST],
        }
    }

    /// Whether the connection had carried another request before.
    pub(crate) fn is_cached(&self) -> bool {
        self.connection.requests > 1
    }

    /// How many bytes the peer has taken.
    pub(crate) fn sent(&self) -> u64 {
        self.outbox.sent
    }

    /// The peer.
    pub(crate) fn lease(&self) -> &Lease {
        &self.lease
    }

    /// What the peer has said first.
    pub(crate) fn said(&self) -> &[u8] {
        self.first.get(..self.received.min(FIRST as u64) as usize).unwrap_or_default()
    }

    /// The next event of the answer; the client is asked for more of a body that is still coming.
    pub(crate) fn poll_event(
        &mut self,
        mut client: Option<&mut (dyn RequestBody + '_)>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Event, Broken>> {
        if self.http2.is_some() {
            return self.poll_http2(client, cx);
        }
        loop {
            self.send(client.as_deref_mut(), cx)?;
            if let Some(event) = self.decode()? {
                self.connection.silence.broken();
                return Poll::Ready(Ok(event));
            }
            if self.receive(cx)?.is_ready() {
                self.connection.silence.broken();
                continue;
            }
            return self.poll_silence(cx).map(Err);
        }
    }

    /// Whether all of the request has gone.
    pub(crate) fn is_sent(&self) -> bool {
        self.sending == Progress::Done
    }

    /// Ready when the peer has been silent for too long.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<Broken> {
        let limit = match self.sending {
            Progress::Client => {
                // Time goes by until it sends more.
                self.now = None;
                return Poll::Pending;
            }
            Progress::Peer => self.limits.send,
            Progress::Done => self.limits.read,
        };
        let now = self.now.take();
        let now = || now.map_or_else(Moment::now, Moment::from_std);
        self.connection
            .silence
            .poll_over(cx, limit, now)
            .map(|()| Broken::Peer(Fault::TimedOut(self.action)))
    }

    /// Sends what can be sent; a peer that takes no more may still be heard.
    fn send(
        &mut self,
        client: Option<&mut (dyn RequestBody + '_)>,
        cx: &mut Context<'_>,
    ) -> Result<(), Broken> {
        if self.sending == Progress::Done {
            return Ok(());
        }
        let before = self.outbox.sent;
        match self.outbox.poll_send(&mut self.connection.stream, client, cx) {
            Ok(progress) => self.sending = progress,
            Err(Unsent::Client(error)) => return Err(Broken::Client(error)),
            Err(Unsent::File(error)) => return Err(Broken::File(error)),
            Err(Unsent::Peer(error)) => {
                self.refused = Some(error);
                self.outbox.abandon();
                self.sending = Progress::Done;
            }
        }
        if self.outbox.sent > before {
            self.connection.silence.broken();
        }
        if self.sending == Progress::Done && self.action == Action::Sending {
            self.action = Action::ReadingHeader;
        }
        Ok(())
    }

    fn decode(&mut self) -> Result<Option<Event>, Broken> {
        let asked = !self.inbox.is_empty() || self.ended || self.action == Action::Reading;
        if !asked {
            return Ok(None);
        }
        match self.decoder.decode(&mut self.inbox, self.ended) {
            Ok(event) => {
                if matches!(event, Some(Event::Head(_))) {
                    self.action = Action::Reading;
                }
                Ok(event)
            }
            Err(Invalid::Ended) => Err(Broken::Peer(self.closed())),
            Err(reason) => Err(self.invalid(reason)),
        }
    }

    fn invalid(&self, reason: Invalid) -> Broken {
        Broken::Peer(Fault::Invalid { reason, action: self.reading() })
    }

    /// Reads once.
    fn receive(&mut self, cx: &mut Context<'_>) -> Result<Poll<()>, Broken> {
        let room = match self.action {
            Action::Reading => self.limits.piece,
            _ => self.limits.head.saturating_sub(self.inbox.len()),
        };
        self.is_small &= room <= spare::SMALL;
        make_room(&mut self.inbox, room.max(1));
        let (stream, inbox) = (&mut self.connection.stream, &mut self.inbox);
        match poll_read_buf(Pin::new(stream), cx, inbox) {
            Poll::Pending => return Ok(Poll::Pending),
            Poll::Ready(Ok(0)) => self.ended = true,
            Poll::Ready(Ok(length)) => {
                if self.received == 0 {
                    let said = self.inbox.iter().zip(&mut self.first);
                    said.for_each(|(byte, first)| *first = *byte);
                }
                self.received += length as u64;
            }
            Poll::Ready(Err(error)) => {
                let error = self.refused.take().filter(|_| self.received == 0).unwrap_or(error);
                let (call, action) = ("recv", self.reading());
                return Err(Broken::Peer(Fault::System { call, error, action }));
            }
        }
        Ok(Poll::Ready(()))
    }

    /// The peer has closed too early.
    fn closed(&mut self) -> Fault {
        match self.refused.take() {
            Some(error) => Fault::System { call: "send", error, action: Action::Sending },
            None => Fault::Closed(self.reading()),
        }
    }

    fn reading(&self) -> Action {
        match self.action {
            Action::Sending => Action::ReadingHeader,
            action => action,
        }
    }
}
