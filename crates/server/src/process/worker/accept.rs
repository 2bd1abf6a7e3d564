//! Connections are taken, and given to the worker that has the fewest.

use std::cmp::Reverse;
use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tidegate_config::http::error_log::Level;
use tidegate_config::http::listen::BindAddress;
use tidegate_http::client::{Connection, Endpoint};
use tidegate_http::log::words::words;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::time::timeout;

use super::{Post, stall};
use crate::connection::{self, Stream};
use crate::listen::Listener;
use crate::runtime::{Counters, Worker};

/// The pause after connections cannot be taken (nginx: `accept_mutex_delay`).
const PAUSE: Duration = Duration::from_millis(500);

/// How many connections more than another a worker may have before it gives one away, beside an
/// eighth of what the other has: giving away costs a few system calls.
const SLACK: u32 = 4;

/// The seconds in which it was told last that connections cannot be taken, and that there are too
/// many: all threads meet it at once, at every socket, and one line a second says it.
static REFUSED: AtomicU64 = AtomicU64::new(0);
static CROWDED: AtomicU64 = AtomicU64::new(0);

/// A socket that connections are taken from.
pub(super) enum Acceptor {
    Tcp(TcpListener),
    Unix(UnixListener, PathBuf),
}

/// A connection that was taken, on its way to the worker that serves it.
#[derive(Debug)]
pub(crate) struct Taken {
    stream: Raw,
    peer: Endpoint,
    local: Endpoint,
    open: Open,
}

#[derive(Debug)]
enum Raw {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

impl Acceptor {
    /// A worker's own handle of a socket.
    pub(super) fn of(listener: &Listener, address: &BindAddress) -> io::Result<Self> {
        match listener {
            Listener::Tcp(listener) => {
                listener.try_clone().and_then(TcpListener::from_std).map(Self::Tcp)
            }
            Listener::Unix(listener) => {
                let own = listener.try_clone().and_then(UnixListener::from_std)?;
                let path = match address {
                    BindAddress::Unix(path) => path.clone(),
                    _ => PathBuf::new(),
                };
                Ok(Self::Unix(own, path))
            }
        }
    }

    async fn one(&self) -> io::Result<(Stream, Endpoint, Endpoint)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                let local = Endpoint::Ip(stream.local_addr()?);
                stream.set_nodelay(true)?;
                Ok((Stream::Tcp(stream), Endpoint::Ip(peer), local))
            }
            Self::Unix(listener, path) => {
                let (stream, _) = listener.accept().await?;
                let local = Endpoint::Unix(Some(path.clone()));
                Ok((Stream::Unix(stream), Endpoint::Unix(None), local))
            }
        }
    }
}

/// Takes connections from a socket until it is aborted.
pub(super) async fn run(worker: Rc<Worker>, acceptor: Acceptor) {
    loop {
        match acceptor.one().await {
            Ok((stream, peer, local)) => {
                room(&worker).await;
                place(&worker, stream, peer, local);
            }
            Err(error) => refused(&worker, &error).await,
        }
    }
}

/// Waits until the worker may have the connection that it has taken (`worker_connections`); those
/// that have been idle for longest make room (nginx: `ngx_drain_connections`).
async fn room(worker: &Worker) {
    let mut since = None;
    loop {
        let most = worker.generation().worker_connections;
        if worker.post.connections() < most {
            if since.is_some() {
                worker.hold();
            }
            return;
        }
        let since = *since.get_or_insert_with(Instant::now);
        if is_time(&CROWDED) {
            let text = format!("{most} worker_connections are not enough");
            let (level, more) = if since.elapsed() > PAUSE {
                (Level::Alert, "")
            } else {
                (Level::Warn, ", reusing connections")
            };
            worker.generation().logs.tell(level, &(text + more));
        }
        worker.press();
        // Where nobody is idle, it is told after a while.
        let _ = timeout(2 * PAUSE, worker.post.closed.notified()).await;
    }
}

async fn refused(worker: &Worker, error: &io::Error) {
    // A client that left before it was taken is nothing to wait for.
    let kind = error.kind();
    if !matches!(kind, io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted) {
        if is_time(&REFUSED) {
            let text = format!("accept4() failed ({}); a pause is made", words(error));
            worker.generation().logs.tell(Level::Crit, &text);
        }
        // Those that nobody uses give their descriptors back.
        worker.press();
        tokio::time::sleep(PAUSE).await;
        worker.hold();
    }
}

/// Whether another second has begun since it was told last.
fn is_time(told: &AtomicU64) -> bool {
    let second = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    told.swap(second, Ordering::Relaxed) != second
}

/// Serves a connection here, or has the worker serve it that has the fewest.
fn place(worker: &Rc<Worker>, stream: Stream, peer: Endpoint, local: Endpoint) {
    let peers = worker.peers.borrow();
    let own = worker.post.connections();
    let least = peers.iter().max_by_key(|post| Reverse(post.connections()));
    let other = least.filter(|post| {
        let theirs = post.connections();
        own > theirs.saturating_add(SLACK).saturating_add(theirs / 8)
    });
    let Some(other) = other else { return open(worker, stream, peer, local, None) };
    let raw = match stream {
        Stream::Tcp(stream) => stream.into_std().map(Raw::Tcp),
        Stream::Unix(stream) => stream.into_std().map(Raw::Unix),
        // Nothing was encrypted yet.
        Stream::Tls(_) => return,
    };
    // A socket that cannot be taken out of the loop is lost.
    let Ok(stream) = raw else { return };
    let open = Open::new(Arc::clone(other), Arc::clone(&worker.counters));
    if let Err(back) = other.give(Taken { stream, peer, local, open }) {
        // It ends, and takes no more.
        receive(worker, back);
    }
}

/// Serves a connection that another worker has taken.
pub(super) fn receive(worker: &Rc<Worker>, taken: Taken) {
    let Taken { stream, peer, local, open: counted } = taken;
    let stream = match stream {
        Raw::Tcp(stream) => TcpStream::from_std(stream).map(Stream::Tcp),
        Raw::Unix(stream) => UnixStream::from_std(stream).map(Stream::Unix),
    };
    if let Ok(stream) = stream {
        open(worker, stream, peer, local, Some(counted));
    }
}

fn open(
    worker: &Rc<Worker>,
    stream: Stream,
    peer: Endpoint,
    local: Endpoint,
    counted: Option<Open>,
) {
    let counted = counted
        .unwrap_or_else(|| Open::new(Arc::clone(&worker.post), Arc::clone(&worker.counters)));
    let number = counted.number;
    let mut connection = Connection {
        number,
        peer,
        local,
        started: Instant::now(),
        tls: None,
        to_tls: false,
        proxy_protocol: None,
        debug: false,
        transport: None,
    };
    let generation = worker.generation();
    connection.to_tls = generation.socket(&connection).is_some_and(|socket| socket.options.ssl);
    connection.debug = generation.is_debugged(&connection.peer);
    drop(generation);
    let worker = Rc::clone(worker);
    tokio::task::spawn_local(async move {
        let _counted = counted;
        let watcher = Rc::clone(&worker);
        let serving = pin!(connection::serve(worker, connection, stream));
        stall::watch(&watcher, || format!("serving connection *{number}"), serving).await;
    });
}

/// An open connection; it is counted until this is dropped, whatever ends it.
#[derive(Debug)]
struct Open {
    post: Arc<Post>,
    counters: Arc<Counters>,
    number: u64,
}

impl Open {
    fn new(post: Arc<Post>, counters: Arc<Counters>) -> Self {
        post.open();
        let number = counters.open();
        Self { post, counters, number }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.post.close();
        self.counters.close();
    }
}
