//! What runs, built from a configuration: what all workers share, and what each has of its own.

mod counters;
mod resting;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use tidegate_config::block::http::Socket;
use tidegate_config::block::{Config, Http};
use tidegate_config::http::listen::BindAddress;
use tidegate_config::value::cidr::Cidr;
use tidegate_config::value::size::Size;
use tidegate_http::client::{Connection, Endpoint};
use tidegate_http::log::Logs;
use tidegate_http::log::file::LogFiles;
use tidegate_http::zone::Zones;
use tidegate_proxy::Upstreams;
use tokio::sync::Notify;

use crate::process::{Crowd, Post};
use crate::tls::{Tls, Turns};
pub(crate) use counters::Counters;
use resting::{NEVER, Resting};
pub(crate) use resting::{Over, Seat};

/// What one configuration has become, shared by all workers.
pub(crate) struct Shared {
    /// The configuration.
    pub(crate) config: Config,
    /// Its part about HTTP.
    pub(crate) http: Arc<Http>,
    /// The open log files.
    pub(crate) files: Arc<LogFiles>,
    /// The groups of upstreams.
    pub(crate) upstreams: Arc<Upstreams>,
    /// What limits count.
    pub(crate) zones: Arc<Zones>,
    /// How handshakes are answered.
    pub(crate) tls: Arc<Tls>,
}

/// What one configuration has become in one worker. Requests hold it while they last.
pub(crate) struct Generation {
    /// The part about HTTP.
    pub(crate) http: Arc<Http>,
    /// The worker's logs.
    pub(crate) logs: Logs,
    /// The groups of upstreams.
    pub(crate) upstreams: Arc<Upstreams>,
    /// What limits count.
    pub(crate) zones: Arc<Zones>,
    /// How handshakes are answered.
    pub(crate) tls: Arc<Tls>,
    /// How many connections the worker may have.
    pub(crate) worker_connections: u32,
    /// How much the process may have in memory.
    pub(crate) memory_limit: Option<Size>,
    /// Numbers of what goes on.
    pub(crate) counters: Arc<Counters>,
    /// The clients of whom everything is told.
    debugged: Vec<Cidr>,
    by_address: HashMap<BindAddress, usize>,
    /// The only socket, where there is one alone: nothing needs to be looked up then.
    alone: bool,
}

impl Generation {
    /// Builds a worker's own part.
    pub(crate) fn new(shared: &Shared, counters: &Arc<Counters>) -> Self {
        let sockets = shared.http.sockets.iter().enumerate();
        Self {
            alone: shared.http.sockets.len() == 1,
            http: Arc::clone(&shared.http),
            logs: Logs::new(&shared.config, Arc::clone(&shared.files)),
            upstreams: Arc::clone(&shared.upstreams),
            zones: Arc::clone(&shared.zones),
            tls: Arc::clone(&shared.tls),
            memory_limit: shared.config.main.process.memory_limit.map(|limit| Size(limit.0)),
            worker_connections: shared.config.events.connections.worker_connections,
            counters: Arc::clone(counters),
            debugged: shared.config.events.connections.debug_connection.clone(),
            by_address: sockets.map(|(place, socket)| (socket.address.clone(), place)).collect(),
        }
    }

    /// Whether everything is told of a client (`debug_connection`).
    pub(crate) fn is_debugged(&self, client: &Endpoint) -> bool {
        self.debugged.iter().any(|network| match client {
            Endpoint::Ip(address) => network.contains(address.ip()),
            Endpoint::Unix(_) => network.contains_unix(),
        })
    }

    /// The socket that a connection came by.
    pub(crate) fn socket(&self, connection: &Connection) -> Option<&Socket> {
        self.socket_at(&connection.local)
    }

    /// The socket of an address: the one of this very address, else that of its port.
    pub(crate) fn socket_at(&self, local: &Endpoint) -> Option<&Socket> {
        if self.alone {
            return self.http.sockets.first();
        }
        let place = match local {
            Endpoint::Unix(path) => {
                let path = path.clone().unwrap_or_default();
                self.by_address.get(&BindAddress::Unix(path))
            }
            Endpoint::Ip(address) => {
                let exact = self.by_address.get(&BindAddress::Ip(*address));
                exact
                    .or_else(|| self.by_address.get(&BindAddress::Ip(crate::listen::any(*address))))
            }
        };
        // An address that a reload took away: the first one answers.
        self.http.sockets.get(place.copied().unwrap_or(0))
    }
}

/// How long a connection must have been idle to make room for another.
const REST: Duration = Duration::from_millis(200);

/// A worker: one thread, one runtime.
pub(crate) struct Worker {
    generation: RefCell<Rc<Generation>>,
    /// Numbers of what goes on.
    pub(crate) counters: Arc<Counters>,
    /// What the others know of it.
    pub(crate) post: Arc<Post>,
    /// All workers that take connections.
    pub(crate) peers: RefCell<Arc<[Arc<Post>]>>,
    /// When it was told last that the worker stood still.
    pub(crate) stalled: Cell<Duration>,
    /// The turns of its handshakes.
    pub(crate) turns: Turns,
    /// What is done where no more connections fit.
    pub(crate) crowd: Crowd,
    draining: Cell<bool>,
    drain: Notify,
    /// Its connections that wait to be asked.
    pub(crate) resting: Resting,
}

impl Worker {
    /// A worker that serves this configuration.
    pub(crate) fn new(
        generation: Generation,
        post: Arc<Post>,
        peers: &Arc<[Arc<Post>]>,
    ) -> Rc<Self> {
        Rc::new(Self {
            counters: Arc::clone(&generation.counters),
            generation: RefCell::new(Rc::new(generation)),
            post,
            peers: RefCell::new(Arc::clone(peers)),
            stalled: Cell::default(),
            turns: Turns::new(),
            crowd: Crowd::default(),
            draining: Cell::new(false),
            drain: Notify::new(),
            resting: Resting::new(),
        })
    }

    /// What holds for the next request.
    pub(crate) fn generation(&self) -> Rc<Generation> {
        Rc::clone(&self.generation.borrow())
    }

    /// Takes up another configuration.
    pub(crate) fn replace(&self, generation: Generation, peers: &Arc<[Arc<Post>]>) {
        *self.generation.borrow_mut() = Rc::new(generation);
        tidegate_static::forget_open_files();
        *self.peers.borrow_mut() = Arc::clone(peers);
    }

    /// Lets connections end with the answers they are at, or with their next one.
    pub(crate) fn start_draining(&self) {
        self.draining.set(true);
        self.drain.notify_waiters();
    }

    /// Has idle connections end, for nobody may be there for their next request.
    pub(crate) fn dismiss(&self) {
        self.resting.dismiss();
    }

    /// Whether connections are to end.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// Ready when connections are to end.
    pub(crate) async fn draining(&self) {
        let notified = self.drain.notified();
        if !self.draining.get() {
            notified.await;
        }
    }

    /// Has the connection end that has been idle for longest; false where none is idle. One that has
    /// been idle for a moment only is about to be asked: its end would cost that request. No other
    /// would do better then, and that is told.
    pub(crate) fn press(&self) -> bool {
        let pressed = self.resting.press(REST);
        if pressed == Some(false) {
            self.post.closed.notify_one();
        }
        pressed.is_some()
    }

    /// Has all connections end that have been idle for more than a moment.
    pub(crate) fn press_all(&self) {
        self.resting.press_all(REST);
    }

    /// No connection has to end any more.
    pub(crate) fn hold(&self) {
        self.resting.hold();
    }

    /// A place for a connection that waits to be asked now and then.
    pub(crate) fn seat(&self) -> Seat<'_> {
        self.resting.seat()
    }

    /// Ready when an idle connection is to end, for all are to, or to make room for others.
    pub(crate) async fn dismissal(&self) {
        let seat = self.seat();
        seat.rest(NEVER);
        poll_fn(|cx| seat.poll(cx).map(|_| ())).await;
    }
}

/// Takes back what was told to nobody.
pub(crate) fn forget(told: &Notify) {
    let mut left = pin!(told.notified());
    let _ = left.as_mut().poll(&mut Context::from_waker(Waker::noop()));
}
