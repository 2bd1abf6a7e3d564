//! A worker: a thread with a runtime of its own, which takes connections and serves them.

use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tidegate_config::http::error_log::Level;
use tidegate_config::http::listen::BindAddress;
use tidegate_http::client::{Connection, Endpoint};
use tidegate_http::log::words::words;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::task::{AbortHandle, LocalSet};

use crate::connection::{self, Stream};
use crate::health_check::Checks;
use crate::listen::{Listener, Listeners};
use crate::runtime::{Counters, Generation, Shared, Worker};

/// The pause after connections cannot be taken (nginx: `accept_mutex_delay`).
const PAUSE: Duration = Duration::from_millis(500);

/// How often a worker looks whether it has stood still, and for how long it may.
const LOOK: Duration = Duration::from_millis(500);
const STALL: Duration = Duration::from_millis(500);

/// The second in which it was told last that connections cannot be taken.
static TOLD: AtomicU64 = AtomicU64::new(0);

/// What workers are told.
#[derive(Clone)]
pub(crate) struct Orders {
    /// The configuration that holds.
    pub(crate) shared: Arc<Shared>,
    /// The sockets that connections are taken from.
    pub(crate) listeners: Arc<Listeners>,
    /// Whether to go on.
    pub(crate) state: State,
    /// How many workers go by this.
    pub(crate) heard: Arc<AtomicUsize>,
}

/// Whether a worker goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It serves.
    Running,
    /// It takes no more connections, and ends when the last has ended.
    Draining,
    /// It ends.
    Stopping,
}

/// Runs a worker until it is told to end; one of them makes the checks. To be called on a thread of
/// its own.
pub(crate) fn run(
    orders: watch::Receiver<Orders>,
    counters: &Arc<Counters>,
    checks: bool,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    local.block_on(&runtime, follow(orders, counters, checks));
    drop(local);
    // What still runs off the loop (a file being read) is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(100));
    Ok(())
}

async fn follow(mut orders: watch::Receiver<Orders>, counters: &Arc<Counters>, checks: bool) {
    let first = orders.borrow_and_update().clone();
    let worker = Worker::new(Generation::new(&first.shared, counters));
    let mut accepting: HashMap<BindAddress, AbortHandle> = HashMap::new();
    adjust(&worker, &mut accepting, &first);
    let start = |worker: &Worker| checks.then(|| Checks::start(&worker.generation()));
    let mut checking = start(&worker);
    tokio::task::spawn_local(tell_stalls(Rc::clone(&worker)));
    first.heard.fetch_add(1, Ordering::Relaxed);
    // A socket is closed when nobody holds it any more.
    drop(first);
    loop {
        let state = orders.borrow().state;
        match state {
            State::Running => {}
            State::Draining => break,
            State::Stopping => return,
        }
        if orders.changed().await.is_err() {
            return;
        }
        let next = orders.borrow_and_update().clone();
        if next.state == State::Running {
            worker.replace(Generation::new(&next.shared, counters));
            adjust(&worker, &mut accepting, &next);
            drop(checking.take());
            checking = start(&worker);
            next.heard.fetch_add(1, Ordering::Relaxed);
        }
    }
    drop(checking);
    accepting.values().for_each(AbortHandle::abort);
    worker.start_draining();
    let patience = orders.borrow().shared.config.main.process.shutdown_timeout;
    tokio::select! {
        () = empty(&worker) => {}
        () = over(patience) => {}
        _ = orders.wait_for(|orders| orders.state == State::Stopping) => {}
    }
}

/// Tells when the loop did not turn for a while: something on it took so long, and all of the
/// worker's connections waited.
async fn tell_stalls(worker: Rc<Worker>) {
    loop {
        let before = Instant::now();
        tokio::time::sleep(LOOK).await;
        let late = before.elapsed().saturating_sub(LOOK);
        if late > STALL {
            let open = worker.connections.get();
            let text =
                format!("a worker with {open} connections stood still for {} ms", late.as_millis());
            worker.generation().logs.tell(Level::Warn, &text);
        }
    }
}

async fn empty(worker: &Worker) {
    while worker.connections.get() > 0 {
        worker.closed.notified().await;
    }
}

async fn over(patience: Option<Duration>) {
    match patience {
        Some(patience) => tokio::time::sleep(patience).await,
        None => std::future::pending().await,
    }
}

/// Takes connections from new sockets, and no more from those that are gone.
fn adjust(worker: &Rc<Worker>, accepting: &mut HashMap<BindAddress, AbortHandle>, orders: &Orders) {
    accepting.retain(|address, task| {
        let stays = orders.listeners.contains_key(address);
        if !stays {
            task.abort();
        }
        stays
    });
    for (address, listener) in orders.listeners.iter() {
        if accepting.contains_key(address) {
            continue;
        }
        match acceptor(listener, address) {
            Ok(acceptor) => {
                let task = tokio::task::spawn_local(accept(Rc::clone(worker), acceptor));
                accepting.insert(address.clone(), task.abort_handle());
            }
            Err(error) => {
                let text = format!("cannot take connections from {address} ({})", words(&error));
                worker.generation().logs.tell(Level::Alert, &text);
            }
        }
    }
}

enum Acceptor {
    Tcp(TcpListener),
    Unix(UnixListener, BindAddress),
}

fn acceptor(listener: &Listener, address: &BindAddress) -> io::Result<Acceptor> {
    match listener {
        Listener::Tcp(listener) => {
            listener.try_clone().and_then(TcpListener::from_std).map(Acceptor::Tcp)
        }
        Listener::Unix(listener) => {
            let own = listener.try_clone().and_then(UnixListener::from_std)?;
            Ok(Acceptor::Unix(own, address.clone()))
        }
    }
}

async fn accept(worker: Rc<Worker>, acceptor: Acceptor) {
    loop {
        room(&worker).await;
        match one(&acceptor).await {
            Ok((stream, peer, local)) => open(&worker, stream, peer, local),
            Err(error) => refused(&worker, &error).await,
        }
    }
}

/// Waits until the worker may have one more connection (`worker_connections`).
async fn room(worker: &Worker) {
    let mut told = false;
    loop {
        let most = worker.generation().worker_connections;
        if worker.connections.get() < most {
            return;
        }
        if !told {
            let text = format!("{most} worker_connections are not enough");
            worker.generation().logs.tell(Level::Alert, &text);
            told = true;
        }
        worker.closed.notified().await;
    }
}

async fn refused(worker: &Worker, error: &io::Error) {
    // A client that left before it was taken is nothing to wait for.
    let kind = error.kind();
    if !matches!(kind, io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted) {
        // All threads meet it at once, at every socket: one line a second says it.
        let second = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        if TOLD.swap(second, Ordering::Relaxed) != second {
            let text = format!("accept4() failed ({}); a pause is made", words(error));
            worker.generation().logs.tell(Level::Crit, &text);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn one(acceptor: &Acceptor) -> io::Result<(Stream, Endpoint, Endpoint)> {
    match acceptor {
        Acceptor::Tcp(listener) => {
            let (stream, peer) = listener.accept().await?;
            let local = Endpoint::Ip(stream.local_addr()?);
            stream.set_nodelay(true)?;
            Ok((Stream::Tcp(stream), Endpoint::Ip(peer), local))
        }
        Acceptor::Unix(listener, address) => {
            let (stream, _) = listener.accept().await?;
            let path = match address {
                BindAddress::Unix(path) => Some(path.clone()),
                _ => None,
            };
            Ok((Stream::Unix(stream), Endpoint::Unix(None), Endpoint::Unix(path)))
        }
    }
}

fn open(worker: &Rc<Worker>, stream: Stream, peer: Endpoint, local: Endpoint) {
    let number = worker.counters.open();
    worker.connections.set(worker.connections.get() + 1);
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
    let guard = Open(Rc::clone(worker));
    let worker = Rc::clone(worker);
    tokio::task::spawn_local(async move {
        let _guard = guard;
        connection::serve(worker, connection, stream).await;
    });
}

/// An open connection; it is counted until this is dropped, whatever ends it.
struct Open(Rc<Worker>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.set(self.0.connections.get().saturating_sub(1));
        self.0.counters.close();
        self.0.closed.notify_one();
    }
}
