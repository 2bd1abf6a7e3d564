//! One request, whatever protocol it came by: from its head to its line in the log.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Instant;

use tidegate_config::block::http::Socket;
use tidegate_config::block::{Http, Server};
use tidegate_config::http::error_log::Level;
use tidegate_config::value::pattern::Pattern;
use tidegate_http::client::{Connection, RequestBody};
use tidegate_http::exchange::Exchange;
use tidegate_http::head::{HeadFault, RequestHead, Rules, Version};
use tidegate_http::log::access;
use tidegate_http::log::words::words;
use tidegate_http::response::Response;

use crate::pipeline::{self, Behind};
use crate::process::stall;
use crate::runtime::Worker;
use crate::tls;

/// What is told of a client that is too slow.
const TIMED_OUT: &str = "client timed out (110: Connection timed out)";

/// A request's head, or what is wrong with it.
pub(super) struct Next {
    pub(super) head: Box<RequestHead>,
    pub(super) fault: Option<Fault>,
    /// When its first byte was there.
    pub(super) started: Instant,
    /// Which request of its connection it is, counted from 1.
    pub(super) number: u32,
    /// Whether its first byte came along with the request before.
    pub(super) pipelined: bool,
}

/// What is wrong with a head.
pub(crate) enum Fault {
    Head(HeadFault),
    /// There is more in memory than there may be.
    Memory,
    /// It does not come to its end: the client has closed the connection, or was too slow, or the
    /// connection broke.
    Ended(Option<std::io::Error>),
}

/// What a server's configuration says about heads.
pub(crate) fn rules(server: &Server) -> Rules {
    let header = &server.settings.client_header;
    let size = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
    Rules {
        buffer_size: size(header.buffer_size.0),
        large_buffers: header.large_buffers.number as usize,
        large_buffer_size: size(header.large_buffers.size.0),
        max_headers: header.max_headers as usize,
        ignore_invalid: header.ignore_invalid,
        underscores: header.underscores,
        merge_slashes: header.merge_slashes,
    }
}

/// How an answer left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Whole, and another request may follow.
    KeepAlive,
    /// Whole or not, and the connection ends.
    Close,
    /// Not at all: the client is told by the end of the connection alone.
    Nothing,
}

/// The client's side of one request, in its protocol.
pub(super) trait Client {
    /// Sends an answer, and keeps count in the exchange.
    async fn send(&mut self, ex: &mut Exchange<'_>, response: Box<Response>) -> Sent;

    /// Adds what was received and said beside the answer, before the request is logged.
    fn count(&self, ex: &mut Exchange<'_>);
}

/// Serves one request, from its head to the last byte of its answer and its line in the log.
pub(super) async fn serve(
    worker: &Worker,
    connection: &Connection,
    (next, body): (Next, Box<dyn RequestBody>),
    client: &mut impl Client,
) -> Sent {
    let generation = worker.generation();
    let Some(socket) = generation.socket(connection) else { return Sent::Nothing };
    let http: &Http = &generation.http;
    // A head that could not be read names no server, unless it came as far as a host.
    let named = next.fault.is_none() || next.head.host.is_some();
    let host = named.then(|| next.head.host.as_deref().unwrap_or_default());
    let Some((server, pattern)) = server(http, socket, host) else {
        return Sent::Nothing;
    };
    let place = (http, &generation.logs);
    let mut ex = Exchange::begun(place, (connection, next.started), server, next.head, body);
    if let Some(pattern) = pattern {
        let host = ex.request.host.clone().unwrap_or_default();
        ex.matches(pattern, &host);
    }
    ex.site = Some(&*generation);
    ex.number = next.number;
    ex.sent.pipelined = next.pipelined;
    worker.counters.request();
    let _writing = worker.counters.writing();
    let fault = next.fault.or_else(|| misdirected(&ex, socket));
    let short = worker.counters.is_short_of_memory();
    let fault = fault.or_else(|| short.then_some(Fault::Memory));
    ex.debug_request();
    let line = ex.request.line.clone();
    let what = || format!("answering \"{}\"", String::from_utf8_lossy(&line));
    let sent = {
        let answering = pin!(async {
            let Some(response) = respond(&mut ex, &*generation, fault).await else {
                return Sent::Nothing;
            };
            ex.debug_answer(&response);
            client.send(&mut ex, response).await
        });
        stall::watch(worker, what, answering).await
    };
    if ex.sent.complete {
        // Copies of the request (`mirror`), and lines of the log.
        ex.tasks.finish().await;
    }
    if ex.location.post_action.uri.is_some() && ex.sent.status != 444 {
        let _ = unwound(Box::pin(pipeline::afterwards(&mut ex, &generation)).as_mut()).await;
    }
    client.count(&mut ex);
    access::write(&mut ex);
    ex.request.give_back();
    sent
}

/// A server that does not speak HTTP/2 is not to be had by the connection of one that does.
pub(crate) fn misdirected(ex: &Exchange<'_>, socket: &Socket) -> Option<Fault> {
    let spoken = ex.request.version != Version::Http2
        || socket.options.http2
        || ex.server.settings.http2.enabled;
    (!spoken).then_some(Fault::Head(HeadFault::NotSpoken))
}

/// Makes the answer to a request, or to one whose head is faulty; `None` closes the connection
/// without one.
pub(crate) async fn respond(
    ex: &mut Exchange<'_>,
    behind: &impl Behind,
    fault: Option<Fault>,
) -> Option<Box<Response>> {
    let refused = if fault.is_none() { tls::refused(ex, behind.generation()) } else { None };
    if let Some(status) = refused {
        return pipeline::refuse(ex, behind, status).await;
    }
    match fault {
        None => {
            let served = {
                let serving = pin!(pipeline::serve(ex, behind));
                unwound(serving).await
            };
            match served {
                Some(response) => response,
                None => pipeline::refuse(ex, behind, 500).await,
            }
        }
        Some(Fault::Head(fault)) => {
            ex.log(Level::Info, &format!("{fault} while {}", fault.action()));
            pipeline::refuse(ex, behind, fault.status()).await
        }
        Some(Fault::Memory) => pipeline::refuse(ex, behind, 503).await,
        Some(Fault::Ended(error)) => {
            // As in nginx, one who has not even asked gets no answer.
            let (status, what) = match error {
                None => (400, "client prematurely closed connection".to_owned()),
                Some(error) if error.kind() == ErrorKind::TimedOut => (408, TIMED_OUT.to_owned()),
                Some(error) => (400, format!("recv() failed ({})", words(&error))),
            };
            let part = match ex.request.length {
                0 if ex.number > 1 => "pipelined request line",
                0 => "request line",
                _ => "request headers",
            };
            ex.log(Level::Info, &format!("{what} while reading client {part}"));
            ex.sent.status = status;
            None
        }
    }
}

/// Waits for a future; `None` where it panicked, which the process's log has told.
async fn unwound<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|cx| {
        // What it held is dropped with it.
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)));
        polled.map_or(Poll::Ready(None), |polled| polled.map(Some))
    })
    .await
}

/// The server that a host names on a socket, and the expression by which it does; where none does or
/// no host is known, the socket's default.
pub(crate) fn server<'a>(
    http: &'a Http,
    socket: &'a Socket,
    host: Option<&[u8]>,
) -> Option<(&'a Server, Option<&'a Pattern>)> {
    let found = host.and_then(|host| socket.names.find(host));
    let server = http.servers.get(found.map_or(socket.default, |found| found.server))?;
    Some((server, found.and_then(|found| found.pattern)))
}
