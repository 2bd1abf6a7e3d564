//! One stream of HTTP/2: a request, and its answer.

use std::cell::Cell;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::Request;
use tidegate_config::http::error_log::Level;
use tidegate_http::client::Connection;
use tidegate_http::exchange::Exchange;
use tidegate_http::head::Rules;
use tidegate_http::head::http2::Carried;
use tidegate_http::headers::Headers;
use tidegate_http::response::Response;
use tokio::time::timeout;

use super::answer;
use super::body::Http2Body;
use super::side::Side;
use super::websocket;
use super::wire::{Tally, Watch};
use crate::connection::request::{self, Client, Fault, Next, Sent};
use crate::runtime::Worker;

/// A request as h2 has read it.
pub(super) struct Arrived {
    pub(super) request: Request<RecvStream>,
    pub(super) respond: SendResponse<Bytes>,
    /// Which of its connection's it is, counted from 1.
    pub(super) number: u32,
    pub(super) rules: Rules,
}

/// Serves a request. To be run as a task of its own.
pub(super) async fn serve(
    worker: Rc<Worker>,
    connection: Rc<Connection>,
    watch: Rc<Watch>,
    arrived: Arrived,
) {
    let Arrived { request, respond, number, rules } = arrived;
    let id = respond.stream_id().as_u32();
    let length = watch.guard.borrow_mut().block_of(id);
    let _counted = Counted { watch: &watch, id };
    let (parts, stream) = request.into_parts();
    let websocket = websocket::is_asked_for(&parts);
    let mut carried = carried(parts, length, stream.is_end_stream());
    if websocket {
        websocket::translate(&mut carried);
    }
    let (head, judged) = carried.judge(&rules);
    let waits = head.headers.get("Expect").is_some_and(|v| v.eq_ignore_ascii_case(b"100-continue"));
    let mut client = Http2 {
        side: Rc::new(Side::new(respond)),
        tally: watch.tally(id),
        received: Rc::default(),
        refused: judged.is_err(),
    };
    let body = Http2Body::new(
        (stream, Rc::clone(&client.side)),
        if websocket { Some(0) } else { head.content_length },
        waits,
        Rc::clone(&client.received),
    );
    let fault = judged.err().map(Fault::Head);
    let next = Next { head, fault, started: Instant::now(), number, pipelined: false };
    let body = Box::new(body);
    let sent = Box::pin(request::serve(&worker, &connection, (next, body), &mut client)).await;
    if sent == Sent::Nothing {
        // As in nginx.
        client.side.reset(Reason::PROTOCOL_ERROR);
    }
}

/// What is written of a stream is counted until this is dropped.
struct Counted<'a> {
    watch: &'a Watch,
    id: u32,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.watch.forget(self.id);
    }
}

fn carried(parts: http::request::Parts, length: u64, ended: bool) -> Carried {
    let mut fields = Headers::with_capacity(parts.headers.len() + 2);
    for (name, value) in &parts.headers {
        let name = Bytes::copy_from_slice(name.as_str().as_bytes());
        fields.push(name, Bytes::copy_from_slice(value.as_bytes()));
    }
    let authority = parts.uri.authority().map(|authority| authority.as_str().to_owned().into());
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str()).to_owned().into();
    Carried { method: parts.method, authority, path, fields, length, ended }
}

/// A client of HTTP/2, within a request.
struct Http2 {
    side: Rc<Side>,
    tally: Rc<Tally>,
    received: Rc<Cell<u64>>,
    refused: bool,
}

impl Client for Http2 {
    async fn send(&mut self, ex: &mut Exchange<'_>, response: Box<Response>) -> Sent {
        let patience = ex.location.sendfile.timeout;
        let written = match answer::write(&self.side, ex, response).await {
            Ok(()) => self.gone(patience).await,
            Err(error) => Err(error),
        };
        match written {
            Ok(()) => {
                ex.sent.complete = true;
                return Sent::KeepAlive;
            }
            // Its source has told why.
            Err(error) if error.kind() == ErrorKind::Other => {}
            Err(error) => {
                let text = format!("{error} while sending response to client");
                ex.log(Level::Info, &text);
            }
        }
        self.side.reset(Reason::INTERNAL_ERROR);
        Sent::Close
    }

    fn count(&self, ex: &mut Exchange<'_>) {
        if !self.refused {
            ex.body_received += self.received.get();
        }
        ex.sent.bytes = self.tally.bytes.get();
        ex.sent.body_bytes = self.tally.body.get();
    }
}

impl Http2 {
    /// Waits until the last frame is on its way to the client; `patience` bounds the time in which
    /// none of the stream's is.
    async fn gone(&self, patience: Duration) -> std::io::Result<()> {
        loop {
            let before = self.tally.bytes.get();
            let gone = poll_fn(|cx| {
                if let Poll::Ready(ended) = self.tally.poll_ended(cx) {
                    return Poll::Ready(ended);
                }
                self.side.poll_reset(cx).map(|()| Err(ErrorKind::ConnectionReset.into()))
            });
            match timeout(patience, gone).await {
                Ok(gone) => return gone,
                Err(_) if self.tally.bytes.get() > before => {}
                Err(_) => return Err(ErrorKind::TimedOut.into()),
            }
        }
    }
}
