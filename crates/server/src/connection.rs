//! One connection from a client over HTTP/1: requests are read, served and answered one by one.

mod answer;
mod body;
mod io;
mod manner;
mod stream;
mod tunnel;

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tidegate_config::block::http::Socket;
use tidegate_config::block::{Http, Server};
use tidegate_config::http::error_log::Level;
use tidegate_http::client::Connection;
use tidegate_http::exchange::Exchange;
use tidegate_http::head::{HeadFault, Parsed, Parser, RequestHead, Rules};
use tidegate_http::log::access;
use tokio::time::timeout;

use crate::pipeline;
use crate::runtime::{Generation, Worker};
use answer::Sent;
use body::{BodyState, Http1Body};
pub(crate) use io::Io;
use manner::Manner;
pub(crate) use stream::Stream;

/// How long what a client still sends is read after an answer that ends the connection
/// (nginx: `lingering_time`, `lingering_timeout`).
const LINGER: Duration = Duration::from_secs(5);

/// What is told of a client that is too slow.
const TIMED_OUT: &str =
    "client timed out (110: Connection timed out) while reading client request headers";

/// Serves one connection until it ends.
pub(crate) async fn serve(worker: Rc<Worker>, connection: Connection, stream: Stream) {
    let io = Rc::new(Io::new(stream));
    let mut parser = Parser::new();
    let mut number = 0;
    while let Some(next) = next_head(&worker, &connection, &io, &mut parser, number).await {
        number += 1;
        // Boxed, so that a connection that waits is small.
        let sent = Box::pin(one(&worker, &connection, &io, next)).await;
        io.shrink();
        if sent == Sent::Close {
            break;
        }
    }
}

/// A head, or what is wrong with it.
struct Next {
    head: Box<RequestHead>,
    fault: Option<Fault>,
    /// When its first byte was there.
    started: Instant,
    /// Which request of its connection it is, counted from 1.
    number: u32,
    /// Whether its first byte came along with the request before.
    pipelined: bool,
}

/// What is wrong with a head.
enum Fault {
    Head(HeadFault),
    /// The client was too slow.
    TimedOut,
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

fn rules(server: &Server) -> Rules {
    let header = &server.settings.client_header;
    let size = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
    Rules {
        buffer_size: size(header.buffer_size.0),
        large_buffers: header.large_buffers.number as usize,
        large_buffer_size: size(header.large_buffers.size.0),
        max_headers: 1000,
        ignore_invalid: header.ignore_invalid,
        underscores: header.underscores,
        merge_slashes: header.merge_slashes,
    }
}

/// One request, from its head to the last byte of its answer and its line in the log.
async fn one(worker: &Rc<Worker>, connection: &Connection, io: &Rc<Io>, next: Next) -> Sent {
    let generation = worker.generation();
    let Some(socket) = generation.socket(connection) else { return Sent::Close };
    let state = BodyState::new(&next.head);
    let body = Box::new(Http1Body::new(Rc::clone(io), Rc::clone(&state)));
    // A head that could not be read names no server, unless it came as far as a host.
    let named = next.fault.is_none() || next.head.host.is_some();
    let place = (socket, named);
    let Some(mut ex) = exchange(&generation, connection, place, *next.head, body) else {
        return Sent::Close;
    };
    ex.number = next.number;
    ex.started = next.started;
    ex.sent.pipelined = next.pipelined;
    worker.counters.request();
    let response = match next.fault {
        None => match unwound(pipeline::serve(&mut ex, &generation)).await {
            Some(response) => response,
            None => pipeline::refuse(&mut ex, &generation, 500).await,
        },
        Some(Fault::Head(fault)) => {
            ex.log(Level::Info, &format!("{fault} while {}", fault.action()));
            pipeline::refuse(&mut ex, &generation, fault.status()).await
        }
        Some(Fault::TimedOut) => {
            // As in nginx, one who has not even asked gets no answer.
            ex.log(Level::Info, TIMED_OUT);
            ex.sent.status = 408;
            None
        }
    };
    let answered = response.is_some();
    let sent = match response {
        Some(response) => send(worker, io, &mut ex, &state, response).await,
        None => Sent::Close,
    };
    if !state.is_refused() {
        ex.body_received += state.used.get();
    }
    // nginx counts them as if they were of the body.
    ex.sent.bytes += state.said.get();
    ex.sent.body_bytes += state.said.get();
    access::write(&mut ex);
    drop(ex);
    if answered { settle(io, &state, sent).await } else { Sent::Close }
}

/// Waits for a future; `None` where it panicked, which the process's log has told.
async fn unwound<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| {
        // What it held is dropped with it.
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)));
        polled.map_or(Poll::Ready(None), |polled| polled.map(Some))
    })
    .await
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
    }
}

async fn send(
    worker: &Worker,
    io: &Rc<Io>,
    ex: &mut Exchange<'_>,
    state: &Rc<BodyState>,
    response: tidegate_http::response::Response,
) -> Sent {
    let lives = !worker.is_draining() && !state.is_broken() && manner::keeps_alive(ex);
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

fn exchange<'a>(
    generation: &'a Generation,
    connection: &'a Connection,
    (socket, named): (&'a Socket, bool),
    head: RequestHead,
    body: Box<Http1Body>,
) -> Option<Exchange<'a>> {
    let http: &Http = &generation.http;
    let host = head.host.clone().unwrap_or_default();
    let found = if named { socket.names.find(&host) } else { None };
    let server = http.servers.get(found.map_or(socket.default, |found| found.server))?;
    let mut ex = Exchange::new((http, &generation.logs), connection, server, head, body);
    if let Some(pattern) = found.and_then(|found| found.pattern) {
        ex.matches(pattern, &host);
    }
    ex.site = Some(generation);
    Some(ex)
}

/// Reads what the client still sends, so that our answer is not lost to a reset. Where nothing is
/// on its way, closing is safe at once.
async fn linger(io: &Io, more_is_coming: bool) {
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
