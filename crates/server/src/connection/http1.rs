//! HTTP/1 to clients: requests are read, served and answered one by one.

mod waiting;

use std::cell::Cell;
use std::io::ErrorKind;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tidegate_config::block::Server;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::sendfile::{Lingering, Sendfile};
use tidegate_http::boxed::pinned;
use tidegate_http::client::Connection;
use tidegate_http::exchange::Exchange;
use tidegate_http::head::{Parsed, Parser};
use tidegate_http::log::words::words;
use tidegate_http::response::Response;

use super::answer;
use super::body::{self, BodyState, Http1Body};
use super::io::Io;
use super::manner::{self, Manner};
use super::request::{self, Client, Fault, Next, Sent, rules};
use crate::pipeline;
use crate::runtime::{Seat, Worker};
use waiting::next_bytes;

/// What is done with a connection that ends, as the request's location says.
#[derive(Clone, Copy)]
pub(super) struct Farewell {
    /// `lingering_close`
    lingers: Lingering,
    /// `lingering_time`
    time: Duration,
    /// `lingering_timeout`
    patience: Duration,
    /// Whether it ends with a reset.
    resets: bool,
}

impl Farewell {
    /// That of a connection whose end is no request's own, in a server (nginx: HTTP/2 has one
    /// for all its requests).
    pub(super) fn of_server(server: &Server) -> Self {
        Self::said(&server.location.sendfile)
    }

    fn said(settings: &Sendfile) -> Self {
        Self {
            lingers: settings.lingering_close,
            time: settings.lingering_time,
            patience: settings.lingering_timeout,
            resets: false,
        }
    }

    fn of(ex: &Exchange<'_>) -> Self {
        let settings = &ex.location.sendfile;
        // Who has timed out before an answer, or is shown the door by 444.
        let timed_out = matches!(ex.sent.status, 408 | 444) && ex.sent.promise.is_none();
        Self { resets: settings.reset_timedout && timed_out, ..Self::said(settings) }
    }
}

/// Serves one connection until it ends.
pub(super) async fn serve(worker: &Worker, connection: &Connection, io: &Rc<Io>) {
    let mut parser = Parser::new();
    let place = worker.seat();
    let mut number = 0;
    while let Some(next) = next_head(worker, connection, (io, &place), &mut parser, number).await {
        number += 1;
        // Boxed, so that a connection that waits is small.
        let sent = pinned(|| one(worker, connection, io, next)).await;
        if sent != Sent::KeepAlive {
            break;
        }
    }
}

async fn next_head(
    worker: &Worker,
    connection: &Connection,
    (io, seat): (&Io, &Seat<'_>),
    parser: &mut Parser,
    before: u32,
) -> Option<Next> {
    let generation = worker.generation();
    let socket = generation.socket(connection)?;
    let server = generation.http.servers.get(connection.default_server(socket))?;
    let rules = rules(server);
    let head_patience = server.settings.client_header.timeout;
    let keepalive = &server.location.keepalive;
    let (idle, least) = (keepalive.timeout.idle, keepalive.min_timeout);
    drop(generation);
    let pipelined = before > 0 && !io.buffer.borrow().is_empty();
    let mut started = None;
    let mut reading = None;
    let number = before + 1;
    loop {
        if parser.has_begun() || !io.buffer.borrow().is_empty() {
            let begun = *started.get_or_insert_with(Instant::now);
            let next = |head, fault| Next { head, fault, started: begun, number, pipelined };
            match parser.parse(&mut io.buffer.borrow_mut(), &rules) {
                Parsed::Complete(head) => return Some(next(head, None)),
                Parsed::Fault(fault, head) => return Some(next(head, Some(Fault::Head(fault)))),
                Parsed::Partial => {}
            }
        }
        if parser.has_begun() || !io.buffer.borrow().is_empty() {
            reading.get_or_insert_with(|| worker.counters.reading());
        } else {
            started = None;
            reading = None;
            let patience = if before == 0 { head_patience } else { idle };
            match next_bytes(worker, (io, seat), patience, least).await {
                Some(Ok(1..)) => continue,
                _ => return None,
            }
        }
        let left = started.map_or(head_patience, |at| head_patience.saturating_sub(at.elapsed()));
        match io.fill(left).await {
            Ok(1..) => {}
            ended if parser.has_begun() => {
                let begun = started.unwrap_or_else(Instant::now);
                let head = parser.give_up(&mut io.buffer.borrow_mut());
                let fault = Some(Fault::Ended(ended.err()));
                return Some(Next { head, fault, started: begun, number, pipelined });
            }
            _ => return None,
        }
    }
}

/// One request and its answer, and what the client has sent meanwhile.
async fn one(worker: &Worker, connection: &Connection, io: &Rc<Io>, next: Next) -> Sent {
    let mut client = Http1 {
        io,
        state: BodyState::new(&next.head),
        worker,
        farewell: Cell::new(None),
        timed_out: false,
    };
    let body = Box::new(Http1Body::new(Rc::clone(io), Rc::clone(&client.state)));
    let sent = request::serve(worker, connection, (next, body), &mut client).await;
    // The request has given back what it held, and is in the log.
    io.end();
    let Some(mut farewell) = client.farewell.get() else { return sent };
    farewell.resets |= client.timed_out;
    settle(io, &client.state, sent, farewell).await
}

/// A client of HTTP/1, within a request.
struct Http1<'a> {
    io: &'a Rc<Io>,
    state: Rc<BodyState>,
    worker: &'a Worker,
    /// What is to be done where the connection ends, once it is known.
    farewell: Cell<Option<Farewell>>,
    /// Whether it is to be reset for having taken nothing for too long.
    timed_out: bool,
}

impl Client for Http1<'_> {
    async fn send(&mut self, ex: &mut Exchange<'_>, response: Box<Response>) -> Sent {
        let (io, state) = (self.io, &self.state);
        let response = if ex.error.unasked || response.close || state.is_over() {
            response
        } else {
            self.turned_to_the_body(ex, response).await
        };
        let ends = self.worker.is_draining() || state.is_broken();
        let lives = !ends && manner::keeps_alive(ex, response.status);
        let manner = Manner::new(ex, &response, lives);
        match answer::write(io, ex, response, &manner).await {
            Ok(sent) => sent,
            // Its source has told why.
            Err(error) if error.kind() == ErrorKind::Other => {
                io.stream.abandon();
                Sent::Close
            }
            Err(error) => {
                io.stream.abandon();
                let what = words(&error);
                let what = if error.kind() == ErrorKind::TimedOut {
                    self.timed_out = ex.location.sendfile.reset_timedout;
                    format!("client timed out ({what})")
                } else {
                    format!("writev() failed ({what})")
                };
                ex.log(Level::Info, &format!("{what} while sending response to client"));
                Sent::Close
            }
        }
    }

    fn count(&self, ex: &mut Exchange<'_>) {
        self.farewell.set(Some(Farewell::of(ex)));
        let state = &self.state;
        if !state.is_refused() {
            ex.body_received += state.used.get();
        }
        // nginx counts them as if they were of the body.
        ex.sent.bytes += state.said.get();
        ex.sent.body_bytes += state.said.get();
    }
}

impl Http1<'_> {
    /// nginx turns to a body that nobody wanted before it answers: it says 100 for that, and what is
    /// there already must not be broken.
    async fn turned_to_the_body(
        &self,
        ex: &mut Exchange<'_>,
        response: Box<Response>,
    ) -> Box<Response> {
        if self.state.is_broken() {
            return response;
        }
        let body = Http1Body::new(Rc::clone(self.io), Rc::clone(&self.state));
        body.welcome();
        if self.state.skip_chunks(&body) {
            return response;
        }
        ex.log(Level::Error, "client sent invalid chunked body");
        let generation = self.worker.generation();
        // Boxed, for it is rare.
        let refused = Box::pin(pipeline::refuse(ex, &*generation, 400)).await;
        refused.unwrap_or(response)
    }
}

/// What is done with bytes that the client still sends.
async fn settle(io: &Rc<Io>, state: &Rc<BodyState>, sent: Sent, farewell: Farewell) -> Sent {
    if farewell.resets && sent != Sent::KeepAlive {
        io.stream.reset_on_close();
        return sent;
    }
    match sent {
        Sent::KeepAlive if state.is_done() => Sent::KeepAlive,
        Sent::KeepAlive => {
            let deadline = tokio::time::Instant::now() + farewell.patience;
            if body::discard(io, state, deadline).await { Sent::KeepAlive } else { Sent::Close }
        }
        Sent::Close => {
            linger(io, !state.is_done(), farewell).await;
            Sent::Close
        }
        Sent::Nothing => Sent::Nothing,
    }
}

/// Reads what the client still sends, so that our answer is not lost to a reset. Where nothing is
/// on its way, closing is safe at once.
pub(super) async fn linger(io: &Io, more_is_coming: bool, farewell: Farewell) {
    let likely = more_is_coming || !io.buffer.borrow().is_empty();
    match farewell.lingers {
        Lingering::Off => return,
        Lingering::On if !likely => return,
        Lingering::On | Lingering::Always => {}
    }
    io.stream.shutdown();
    let end = Instant::now() + farewell.time;
    loop {
        io.buffer.borrow_mut().clear();
        let left = end.saturating_duration_since(Instant::now()).min(farewell.patience);
        if io.has_ended() || left.is_zero() || !matches!(io.fill(left).await, Ok(1..)) {
            return;
        }
    }
}
