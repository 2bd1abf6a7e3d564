//! A worker: a thread with a runtime of its own, which takes connections and serves them.

mod accept;
mod crowd;
mod memory;
mod post;
pub(crate) mod stall;

use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tidegate_config::http::error_log::Level;
use tidegate_config::http::listen::BindAddress;
use tidegate_http::log::turn;
use tidegate_http::log::words::words;
use tidegate_proxy::upstream::keepalive;
use tokio::runtime::LocalOptions;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::health_check::Checks;
use crate::listen::Listeners;
use crate::runtime::{Counters, Generation, Shared, Worker};
use accept::Acceptor;
pub(crate) use accept::Taken;
pub(crate) use crowd::Crowd;
pub(crate) use post::Post;

/// What workers are told.
#[derive(Clone)]
pub(crate) struct Orders {
    /// The configuration that holds.
    pub(crate) shared: Arc<Shared>,
    /// The sockets that connections are taken from.
    pub(crate) listeners: Arc<Listeners>,
    /// All workers that take connections.
    pub(crate) peers: Arc<[Arc<Post>]>,
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
    /// Others serve by now. It takes no more connections, those that it has end with their next
    /// answer, and it ends when the last has ended.
    Leaving,
    /// It takes no more connections, those that are idle end, and it ends when the last has ended.
    Draining,
    /// It ends.
    Stopping,
}

/// What a worker is given at its start.
pub(crate) struct Start {
    /// What it is told.
    pub(crate) orders: watch::Receiver<Orders>,
    /// What it and the others know of each other.
    pub(crate) post: Arc<Post>,
    /// Connections that others have taken for it.
    pub(crate) given: UnboundedReceiver<Taken>,
    /// What all count.
    pub(crate) counters: Arc<Counters>,
    /// Whether it is the one that makes the checks of servers, and measures memory, for all.
    pub(crate) checks: bool,
}

/// Runs a worker until it is told to end. To be called on a thread of its own.
pub(crate) fn run(start: Start) -> io::Result<()> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().on_thread_park(turn::end);
    let runtime = builder.build_local(LocalOptions::default())?;
    turn::will_end();
    runtime.block_on(async {
        follow(start).await;
        turn::end();
    });
    // What still runs off the loop (a file being read) is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(100));
    Ok(())
}

async fn follow(start: Start) {
    let Start { mut orders, post, mut given, counters, checks } = start;
    let first = orders.borrow_and_update().clone();
    let worker = Worker::new(Generation::new(&first.shared, &counters), post, &first.peers);
    let mut accepting: HashMap<BindAddress, AbortHandle> = HashMap::new();
    adjust(&worker, &mut accepting, &first);
    let check = |worker: &Worker| checks.then(|| Checks::start(&worker.generation()));
    let mut checking = check(&worker);
    worker.crowd.refill();
    tokio::task::spawn_local(stall::look(Rc::clone(&worker)));
    let resting = Rc::clone(&worker);
    tokio::task::spawn_local(async move { resting.resting.look().await });
    tokio::task::spawn_local(memory::watch(Rc::clone(&worker), checks));
    first.heard.fetch_add(1, Ordering::Relaxed);
    // A socket is closed when nobody holds it any more.
    drop(first);
    loop {
        let state = orders.borrow().state;
        match state {
            State::Running if worker.post.leaves() => break,
            State::Running => {}
            State::Leaving | State::Draining => break,
            State::Stopping => return,
        }
        tokio::select! {
            changed = orders.changed() => if changed.is_err() {
                return;
            },
            Some(taken) = given.recv() => {
                accept::receive(&worker, taken);
                continue;
            }
        }
        let next = orders.borrow_and_update().clone();
        if next.state == State::Running {
            worker.replace(Generation::new(&next.shared, &counters), &next.peers);
            if !worker.post.leaves() {
                adjust(&worker, &mut accepting, &next);
                drop(checking.take());
                checking = check(&worker);
                next.heard.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    drop(checking);
    accepting.values().for_each(AbortHandle::abort);
    // One that leaves is not waited for.
    let heard = usize::from(!worker.post.leaves());
    orders.borrow().heard.fetch_add(heard, Ordering::Relaxed);
    // From here on those who would give it more keep them.
    given.close();
    while let Some(taken) = given.recv().await {
        accept::receive(&worker, taken);
    }
    worker.start_draining();
    keepalive::leave();
    let patience = orders.borrow().shared.config.main.process.shutdown_timeout;
    tokio::select! {
        () = empty(&worker) => {}
        () = over(patience) => {}
        () = stopped(&worker, orders) => {}
    }
}

/// Ready when the worker is to end now. Idle connections end when nobody else serves.
async fn stopped(worker: &Worker, mut orders: watch::Receiver<Orders>) {
    loop {
        let state = orders.borrow_and_update().state;
        match state {
            State::Running | State::Leaving => {}
            State::Draining => worker.dismiss(),
            State::Stopping => return,
        }
        if orders.changed().await.is_err() {
            return;
        }
    }
}

/// Ready when it has no connection, and nobody sends requests over those that tasks of its drive.
async fn empty(worker: &Worker) {
    while worker.post.connections() > 0 {
        worker.post.closed.notified().await;
    }
    keepalive::left().await;
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
        match Acceptor::of(listener, address) {
            Ok(acceptor) => {
                let task = tokio::task::spawn_local(accept::run(Rc::clone(worker), acceptor));
                accepting.insert(address.clone(), task.abort_handle());
            }
            Err(error) => {
                let text = format!("cannot take connections from {address} ({})", words(&error));
                worker.generation().logs.tell(Level::Alert, &text);
            }
        }
    }
}
