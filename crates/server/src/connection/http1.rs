//! HTTP/1 to clients: requests are read, served and answered one by one.

use std::io::ErrorKind;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tidegate_config::http::error_log::Level;
use tidegate_http::client::Connection;
use tidegate_http::exchange::Exchange;
use tidegate_http::head::{Parsed, Parser};
use tidegate_http::response::Response;
use tokio::time::timeout;

use super::answer;
use super::body::{self, BodyState, Http1Body};
use super::io::Io;
use super::manner::{self, Manner};
use super::request::{self, Client, Fault, Next, Sent, rules};
use crate::runtime::Worker;

/// How long what a client still sends is read after an answer that ends the connection
/// (nginx: `lingering_time`, `lingering_timeout`).
pub(super) const LINGER: Duration = Duration::from_secs(5);

/// Serves one connection until it ends.
pub(super) async fn serve(worker: &Worker, connection: &Connection, io: &Rc<Io>) {
    let mut parser = Parser::new();
    let mut number = 0;
    while let Some(next) = next_head(worker, connection, io, &mut parser, number).await {
        number += 1;
        // Boxed, so that a connection that waits is small.
        let sent = Box::pin(one(worker, connection, io, next)).await;
        io.shrink();
        if sent != Sent::KeepAlive {
            break;
        }
    }
}

async fn next_head(
    worker: &Worker,
    connection: &Connection,
    io: &Io,
    parser: &mut Parser,
    before: u32,
) -> Option<Next> {
    let generation = worker.generation();
    let socket = generation.socket(connection)?;
    let server = generation.http.servers.get(socket.default)?;
    let rules = rules(server);
    let head_patience = server.settings.client_header.timeout;
    let idle = server.location.keepalive.timeout.idle;
    drop(generation);
    let pipelined = before > 0 && !io.buffer.borrow().is_empty();
    let mut started = pipelined.then(Instant::now);
    let number = before + 1;
    loop {
        let parsed = parser.parse(&mut io.buffer.borrow_mut(), &rules);
        let begun = *started.get_or_insert_with(Instant::now);
        let next = |head, fault| Next { head, fault, started: begun, number, pipelined };
        match parsed {
            Parsed::Complete(head) => return Some(next(head, None)),
            Parsed::Fault(fault, head) => return Some(next(head, Some(Fault::Head(fault)))),
            Parsed::Partial => {}
        }
        if !parser.has_begun() && io.buffer.borrow().is_empty() {
            started = None;
            io.shrink();
            let patience = if before == 0 { head_patience } else { idle };
            let waiting = async {
                tokio::select! {
                    ready = io.stream.readable() => ready.is_ok(),
                    () = worker.draining() => false,
                }
            };
            if !timeout(patience, waiting).await.unwrap_or(false) {
                return None;
            }
        }
        let left = head_patience.saturating_sub(started.map_or(Duration::ZERO, |at| at.elapsed()));
        match io.fill(left).await {
            Ok(1..) => {}
            Err(error) if error.kind() == ErrorKind::TimedOut && parser.has_begun() => {
                let head = parser.give_up(&mut io.buffer.borrow_mut());
                return Some(next(head, Some(Fault::TimedOut)));
            }
            _ => return None,
        }
    }
}

/// One request and its answer, and what the client has sent meanwhile.
async fn one(worker: &Worker, connection: &Connection, io: &Rc<Io>, next: Next) -> Sent {
    let mut client = Http1 { io, state: BodyState::new(&next.head), worker };
    let body = Box::new(Http1Body::new(Rc::clone(io), Rc::clone(&client.state)));
    let sent = request::serve(worker, connection, (next, body), &mut client).await;
    settle(io, &client.state, sent).await
}

/// A client of HTTP/1, within a request.
struct Http1<'a> {
    io: &'a Rc<Io>,
    state: Rc<BodyState>,
    worker: &'a Worker,
}

impl Client for Http1<'_> {
    async fn send(&mut self, ex: &mut Exchange<'_>, response: Response) -> Sent {
        let (io, state) = (self.io, &self.state);
        let lives = !self.worker.is_draining() && !state.is_broken() && manner::keeps_alive(ex);
        let manner = Manner::new(ex, lives);
        if !response.close && !state.is_broken() {
            // nginx turns to a body that nobody wanted before it answers, and says 100 for that.
            Http1Body::new(Rc::clone(io), Rc::clone(state)).welcome();
        }
        match answer::write(io, ex, response, &manner).await {
            Ok(sent) => sent,
            // Its source has told why.
            Err(error) if error.kind() == ErrorKind::Other => Sent::Close,
            Err(error) => {
                let text = format!("{error} while sending response to client");
                ex.log(Level::Info, &text);
                Sent::Close
            }
        }
    }

    fn count(&self, ex: &mut Exchange<'_>) {
        let state = &self.state;
        if !state.is_refused() {
            ex.body_received += state.used.get();
        }
        // nginx counts them as if they were of the body.
        ex.sent.bytes += state.said.get();
        ex.sent.body_bytes += state.said.get();
    }
}

/// What is done with bytes that the client still sends.
async fn settle(io: &Rc<Io>, state: &Rc<BodyState>, sent: Sent) -> Sent {
    match sent {
        Sent::KeepAlive if state.is_done() => Sent::KeepAlive,
        Sent::KeepAlive => {
            let deadline = tokio::time::Instant::now() + LINGER;
            if body::discard(io, state, deadline).await { Sent::KeepAlive } else { Sent::Close }
        }
        Sent::Close => {
            linger(io, !state.is_done()).await;
            Sent::Close
        }
        Sent::Nothing => Sent::Nothing,
    }
}

/// Reads what the client still sends, so that our answer is not lost to a reset. Where nothing is
/// on its way, closing is safe at once.
pub(super) async fn linger(io: &Io, more_is_coming: bool) {
    if !more_is_coming && io.buffer.borrow().is_empty() {
        return;
    }
    io.stream.shutdown();
    let end = Instant::now() + LINGER;
    loop {
        io.buffer.borrow_mut().clear();
        let left = end.saturating_duration_since(Instant::now());
        if io.has_ended() || left.is_zero() || !matches!(io.fill(left).await, Ok(1..)) {
            return;
        }
    }
}
