//! HTTP/2 to clients: a connection carries many requests, each served by a task of its own.

mod answer;
mod body;
pub(super) mod guard;
mod manner;
mod side;
mod stream;
mod tunnel;
mod websocket;
mod wire;

use std::pin::{Pin, pin};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::Reason;
use tidegate_config::http::error_log::Level;
use tidegate_http::client::Connection;
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep_until, timeout};

use super::http1::linger;
use super::io::Io;
use crate::runtime::Worker;
use manner::Manner;
use stream::Arrived;
use wire::{Watch, Wire};

/// How long a client that was asked to leave may stay.
const LEAVING: Duration = Duration::from_secs(5);

/// Serves one connection until it ends.
pub(super) async fn serve(worker: Rc<Worker>, connection: Connection, io: Rc<Io>) {
    // Boxed, and the session on its own, so that a connection that waits is small.
    let Some(mut session) = Box::pin(begin(worker, connection, Rc::clone(&io))).await else {
        return;
    };
    session.run().await;
    Box::pin(end(session, io)).await;
}

/// Agrees on the terms.
async fn begin(worker: Rc<Worker>, connection: Connection, io: Rc<Io>) -> Option<Box<Session>> {
    let (manner, builder) = Manner::of(&worker, &connection)?;
    let watch = Watch::new();
    let wire = Wire::new(io, Rc::clone(&watch));
    let shake = builder.handshake::<_, Bytes>(wire);
    let h2 = tokio::select! {
        h2 = timeout(manner.head_patience, shake) => h2,
        () = worker.dismissal() => return None,
    };
    Some(Box::new(Session {
        h2: h2.ok()?.ok()?,
        tasks: JoinSet::new(),
        worker,
        connection: Rc::new(connection),
        watch,
        manner,
        number: 0,
        idle: Some(Instant::now()),
        closing: None,
    }))
}

async fn end(session: Box<Session>, io: Rc<Io>) {
    let Session { h2, mut tasks, manner, watch, .. } = *session;
    // The streams are told by this that nobody is there any more; those whose answers h2 has whole
    // are told apart.
    drop(h2);
    watch.is_over();
    tokio::join!(linger(&io, true, manner.farewell), async {
        while tasks.join_next().await.is_some() {}
    });
}

/// A connection, and the requests on it.
struct Session {
    h2: h2::server::Connection<Wire, Bytes>,
    tasks: JoinSet<()>,
    worker: Rc<Worker>,
    connection: Rc<Connection>,
    watch: Rc<Watch>,
    manner: Manner,
    /// How many requests there were.
    number: u32,
    /// Since when there is no request.
    idle: Option<Instant>,
    /// Since when no further requests are wanted.
    closing: Option<Instant>,
}

/// Why a connection's time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Overdue {
    /// No request came.
    Idle,
    /// A header block does not come to its end.
    Block,
    /// The client takes nothing.
    Blocked,
    /// It was asked to leave, and did not.
    Closing,
}

impl Session {
    async fn run(&mut self) {
        let worker = Rc::clone(&self.worker);
        let mut drain = pin!(worker.draining());
        let mut alarm = pin!(sleep_until(self.deadline().0.into()));
        loop {
            self.set(alarm.as_mut());
            tokio::select! {
                biased;
                request = self.h2.accept() => match request {
                    Some(Ok((request, respond))) => {
                        let rules = self.manner.rules;
                        let number = self.number + 1;
                        self.start(Arrived { request, respond, number, rules });
                    }
                    Some(Err(error)) => return self.broken(&error),
                    None => return,
                },
                Some(_) = self.tasks.join_next(), if !self.tasks.is_empty() => {
                    self.idle = self.tasks.is_empty().then(Instant::now);
                }
                () = &mut drain, if self.closing.is_none() => self.close(),
                () = worker.dismissal(), if self.closing.is_none() && self.idle.is_some() => {
                    self.close();
                }
                () = self.watch.changed.notified() => {
                    if let Some(kind) = self.watch.flood.get() {
                        return self.calm(kind).await;
                    }
                }
                () = &mut alarm => {
                    if !self.alarmed() {
                        return;
                    }
                }
            }
        }
    }

    fn start(&mut self, arrived: Arrived) {
        self.number = arrived.number;
        self.idle = None;
        let (worker, connection) = (Rc::clone(&self.worker), Rc::clone(&self.connection));
        let watch = Rc::clone(&self.watch);
        self.tasks.spawn_local(stream::serve(worker, connection, watch, arrived));
        let keepalive = &self.manner.keepalive;
        let old = self.connection.started.elapsed() > keepalive.time;
        if self.number >= keepalive.requests || old || keepalive.timeout.idle.is_zero() {
            self.close();
        }
    }

    /// Asks the client to bring no further requests; those it has brought are answered.
    fn close(&mut self) {
        if self.closing.is_none() {
            self.closing = Some(Instant::now());
            self.h2.graceful_shutdown();
        }
    }

    /// When something is overdue, and what.
    fn deadline(&self) -> (Instant, Overdue) {
        let manner = &self.manner;
        let far = || Instant::now() + Duration::from_hours(1);
        let rest = if self.number == 0 {
            manner.head_patience
        } else {
            manner.keepalive.timeout.idle.max(Duration::from_millis(1))
        };
        let block = self.watch.guard.borrow().block.map(|(since, _)| since);
        let leaves = self.closing.filter(|_| self.idle.is_some());
        let times = [
            (self.watch.blocked.get().map(|at| at + manner.send_patience), Overdue::Blocked),
            (block.map(|at| at + manner.head_patience), Overdue::Block),
            (leaves.map(|at| at.max(self.idle.unwrap_or(at)) + LEAVING), Overdue::Closing),
            (self.idle.filter(|_| leaves.is_none()).map(|at| at + rest), Overdue::Idle),
        ];
        let next = times.into_iter().filter_map(|(at, what)| Some((at?, what)));
        next.min_by_key(|(at, _)| *at).unwrap_or_else(|| (far(), Overdue::Blocked))
    }

    /// Sets the alarm where it would ring too late, or has rung.
    fn set(&self, mut alarm: Pin<&mut Sleep>) {
        let at: tokio::time::Instant = self.deadline().0.into();
        if at < alarm.deadline() || alarm.is_elapsed() {
            alarm.as_mut().reset(at);
        }
    }

    /// Whether the connection goes on after the alarm.
    fn alarmed(&mut self) -> bool {
        let (at, what) = self.deadline();
        if at > Instant::now() {
            return true;
        }
        match what {
            Overdue::Idle => {
                self.close();
                true
            }
            Overdue::Closing => false,
            Overdue::Block => {
                self.tell("client timed out while reading HTTP/2 header block");
                self.h2.abrupt_shutdown(Reason::NO_ERROR);
                self.watch.guard.borrow_mut().block = None;
                true
            }
            Overdue::Blocked => {
                self.tell(
                    "client timed out (110: Connection timed out) while writing HTTP/2 frames",
                );
                false
            }
        }
    }

    /// Ends the connection of a client that makes us work for nothing.
    async fn calm(&mut self, kind: u8) {
        let name = guard::name(kind);
        self.tell(&format!("client sent too many frames that ask for nothing, the last {name}"));
        self.h2.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
        let end = std::future::poll_fn(|cx| self.h2.poll_closed(cx));
        // Who does not take the reason has to guess it.
        let _ = timeout(Duration::from_secs(1), end).await;
    }

    fn broken(&self, error: &h2::Error) {
        if !error.is_io() {
            self.tell(&format!("client broke HTTP/2: {error}"));
        }
    }

    fn tell(&self, text: &str) {
        let generation = self.worker.generation();
        let Some(socket) = generation.socket(&self.connection) else { return };
        let number = self.connection.default_server(socket);
        let Some(server) = generation.http.servers.get(number) else { return };
        generation.logs.tell_of(&self.connection, (socket, server), Level::Info, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size<F>(_: fn(Rc<Worker>, Connection, Rc<Io>) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_connection_that_waits_is_small() {
        let bytes = size(serve) + size_of::<Session>();
        assert!(bytes < 2600, "{bytes}, of which {} in the session", size_of::<Session>());
    }
}
