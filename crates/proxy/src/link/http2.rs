//! One request out and its answer back as a stream of HTTP/2.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::{RecvStream, SendStream};
use http::HeaderMap;
use tidegate_http::client::RequestBody;

use super::{Broken, Link};
use crate::fault::Action;
use crate::http2::fault;
use crate::outbox::{Progress, Unsent};
use crate::protocol::{Event, Invalid, http2};
use crate::stream::Stream;

/// How far an exchange has come.
#[derive(Default)]
pub(super) struct Exchange {
    sending: Option<SendStream<Bytes>>,
    /// What the peer has not allowed to be sent yet.
    waiting: Bytes,
    /// What the client has said behind a body that was there whole.
    trailers: Option<HeaderMap>,
    answer: Answer,
}

#[derive(Default)]
enum Answer {
    /// The request has not been begun.
    #[default]
    Unasked,
    Head(ResponseFuture),
    Body(RecvStream),
    Trailers(RecvStream),
    End,
}

impl Link {
    /// As `poll_event`, over HTTP/2.
    pub(super) fn poll_http2(
        &mut self,
        client: Option<&mut (dyn RequestBody + '_)>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Event, Broken>> {
        let Some(mut exchange) = self.http2.take() else { return Poll::Pending };
        let event = self.poll_exchange(&mut exchange, client, cx);
        self.http2 = Some(exchange);
        match event {
            Poll::Ready(event) => {
                self.connection.silence.broken();
                Poll::Ready(event)
            }
            Poll::Pending => self.poll_silence(cx).map(Err),
        }
    }

    fn poll_exchange(
        &mut self,
        exchange: &mut Exchange,
        client: Option<&mut (dyn RequestBody + '_)>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Event, Broken>> {
        if matches!(exchange.answer, Answer::Unasked) {
            self.begin_http2(exchange, client.as_deref(), cx)?;
        }
        self.send_http2(exchange, client, cx)?;
        let action = self.reading();
        let broken = |error| Broken::Peer(fault(error, action));
        loop {
            match &mut exchange.answer {
                Answer::Unasked => return Poll::Pending,
                Answer::Head(answer) => {
                    if let Poll::Ready(Some(hint)) = answer.poll_informational(cx) {
                        let hint = hint.map_err(broken)?;
                        let head = http2::head(&hint.into_parts().0, true);
                        let invalid = |reason| self.invalid(reason);
                        return Poll::Ready(head.map(Event::Hint).map_err(invalid));
                    }
                    let Poll::Ready(answer) = Pin::new(answer).poll(cx) else {
                        return Poll::Pending;
                    };
                    let (parts, body) = answer.map_err(broken)?.into_parts();
                    let head = http2::head(&parts, body.is_end_stream());
                    let head = head.map_err(|reason| self.invalid(reason))?;
                    if head.size > self.limits.head {
                        return Poll::Ready(Err(self.invalid(Invalid::TooBig)));
                    }
                    self.received += head.size as u64;
                    self.action = Action::Reading;
                    exchange.answer = Answer::Body(body);
                    return Poll::Ready(Ok(Event::Head(head)));
                }
                Answer::Body(body) => {
                    let Poll::Ready(data) = body.poll_data(cx) else { return Poll::Pending };
                    let Some(data) = data.transpose().map_err(broken)? else {
                        let Answer::Body(body) = std::mem::take(&mut exchange.answer) else {
                            return Poll::Pending;
                        };
                        exchange.answer = Answer::Trailers(body);
                        continue;
                    };
                    let _ = body.flow_control().release_capacity(data.len());
                    self.received += data.len() as u64;
                    if !data.is_empty() {
                        return Poll::Ready(Ok(Event::Body(data)));
                    }
                }
                Answer::Trailers(body) => {
                    let Poll::Ready(trailers) = body.poll_trailers(cx) else {
                        return Poll::Pending;
                    };
                    exchange.answer = Answer::End;
                    if let Some(trailers) = trailers.map_err(broken)? {
                        return Poll::Ready(Ok(Event::Trailers(http2::fields(&trailers))));
                    }
                }
                Answer::End => return Poll::Ready(Ok(Event::End)),
            }
        }
    }

    /// Sends the head.
    fn begin_http2(
        &mut self,
        exchange: &mut Exchange,
        client: Option<&(dyn RequestBody + '_)>,
        cx: &mut Context<'_>,
    ) -> Result<(), Broken> {
        let Stream::Http2(session) = &mut self.connection.stream else { return Ok(()) };
        let action = Action::Sending;
        match session.sender.poll_ready(cx) {
            Poll::Pending => return Ok(()),
            Poll::Ready(Err(error)) => return Err(Broken::Peer(fault(error, action))),
            Poll::Ready(Ok(())) => {}
        }
        let Some(request) = self.outbox.http2() else { return Ok(()) };
        exchange.trailers = client.and_then(|client| request.trailers(client.trailers()?));
        let ends = self.outbox.is_without_body() && exchange.trailers.is_none();
        let (answer, sending) = session
            .sender
            .send_request(request.request().clone(), ends)
            .map_err(|error| Broken::Peer(fault(error, action)))?;
        exchange.answer = Answer::Head(answer);
        if ends {
            self.sending = Progress::Done;
            self.action = Action::ReadingHeader;
        } else {
            exchange.sending = Some(sending);
        }
        Ok(())
    }

    /// Sends what the peer allows of the body.
    fn send_http2(
        &mut self,
        exchange: &mut Exchange,
        mut client: Option<&mut (dyn RequestBody + '_)>,
        cx: &mut Context<'_>,
    ) -> Result<(), Broken> {
        while let Some(stream) = &mut exchange.sending {
            if exchange.waiting.is_empty() {
                match self.outbox.poll_piece(client.as_deref_mut(), cx) {
                    Err(Unsent::Client(error)) => return Err(Broken::Client(error)),
                    Err(Unsent::File(error)) => return Err(Broken::File(error)),
                    Err(Unsent::Peer(_)) => return Ok(()),
                    Ok(Poll::Pending) => {
                        self.sending = Progress::Client;
                        return Ok(());
                    }
                    Ok(Poll::Ready(Some(piece))) => exchange.waiting = piece,
                    Ok(Poll::Ready(None)) => {
                        let trailers = exchange.trailers.take().or_else(|| {
                            let said = client.as_deref()?.trailers()?;
                            self.outbox.http2()?.trailers(said)
                        });
                        // That it is not taken will be told by the answer.
                        let _ = match trailers {
                            Some(trailers) => stream.send_trailers(trailers),
                            None => stream.send_data(Bytes::new(), true),
                        };
                        exchange.sending = None;
                        self.sending = Progress::Done;
                        self.connection.silence.broken();
                        if self.action == Action::Sending {
                            self.action = Action::ReadingHeader;
                        }
                        return Ok(());
                    }
                }
            }
            self.sending = Progress::Peer;
            stream.reserve_capacity(exchange.waiting.len());
            let mut room = stream.capacity();
            // The library tells of room once only, and also where there is none after all.
            while room == 0 {
                match stream.poll_capacity(cx) {
                    Poll::Pending => return Ok(()),
                    Poll::Ready(Some(Ok(more))) => room = more,
                    // The peer wants no more of it; its answer says why.
                    Poll::Ready(_) => {
                        self.give_up_sending(exchange);
                        return Ok(());
                    }
                }
            }
            let piece = exchange.waiting.split_to(room.min(exchange.waiting.len()));
            self.outbox.sent += piece.len() as u64;
            self.connection.silence.broken();
            if stream.send_data(piece, false).is_err() {
                self.give_up_sending(exchange);
            }
        }
        Ok(())
    }

    fn give_up_sending(&mut self, exchange: &mut Exchange) {
        exchange.sending = None;
        self.sending = Progress::Done;
        self.unwanted = true;
    }
}

impl Exchange {
    /// Whether the answer was read to its end.
    pub(super) fn is_complete(&self) -> bool {
        matches!(self.answer, Answer::End) && self.sending.is_none()
    }
}
