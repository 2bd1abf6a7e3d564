//! What is done where no more connections fit: those that are idle for a while make room, and who
//! comes beyond that is told so at once, and not left to wait.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tidegate_config::http::error_log::Level;
use tidegate_http::client::Endpoint;
use tidegate_http::date::http_date;
use tidegate_http::error_page::page;
use tidegate_http::log::words::words;
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::timeout;

use super::accept::Acceptor;
use super::stall;
use crate::connection::{Stream, product};
use crate::runtime::{Worker, forget};

/// How long an idle connection may take to make room.
const GRACE: Duration = Duration::from_millis(100);

/// For how long nobody is looked for again who could make room, where nobody was there: a queue of
/// clients is turned away in one turn of the loop, not in as many as there are clients.
const AGAIN: Duration = Duration::from_millis(20);

/// The pause after connections cannot be taken at all (nginx: `accept_mutex_delay`).
const PAUSE: Duration = Duration::from_millis(500);

/// How many clients of a worker at a time are waited for: until they have asked, so that the answer
/// is one, and have read it. Those beyond have it on their way when the connection ends.
const ATTENDED: u32 = 64;

/// How long such a client is waited for.
const ATTENTION: Duration = Duration::from_secs(1);

/// The same where it holds one of the last descriptors.
const BRIEF: Duration = Duration::from_millis(100);

/// How many descriptors a worker holds back, to take connections by when there are no others.
const SPARES: usize = 4;

/// The seconds in which it was told last that there are too many connections, and that they cannot be
/// taken: all threads meet it at once, at every socket, and one line a second says it.
static CROWDED: AtomicU64 = AtomicU64::new(0);
static REFUSED: AtomicU64 = AtomicU64::new(0);

/// How many clients were turned away since that was told last.
static TURNED_AWAY: AtomicU32 = AtomicU32::new(0);

/// What a worker knows of those for whom there is no room.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    /// How many of them it waits for.
    attended: Cell<u32>,
    /// When nobody was there last who could make room.
    full: Cell<Duration>,
    /// Descriptors of nothing.
    spares: RefCell<Vec<File>>,
    /// Told when one of these is back.
    back: Notify,
}

impl Crowd {
    /// Holds back as many descriptors as there shall be, as far as they can be had.
    pub(super) fn refill(&self) {
        let mut spares = self.spares.borrow_mut();
        while spares.len() < SPARES {
            match File::open("/dev/null") {
                Ok(spare) => spares.push(spare),
                Err(_) => return,
            }
        }
    }
}

/// Whether one more connection fits (`worker_connections`), here or at another worker; one that has
/// been idle for longest makes room (nginx: `ngx_drain_connections`). Where it does not, it has been
/// told.
pub(super) async fn has_room(worker: &Worker) -> bool {
    let most = worker.generation().worker_connections;
    let fits = || {
        let peers = worker.peers.borrow();
        worker.post.connections() < most || peers.iter().any(|post| post.connections() < most)
    };
    if fits() {
        return true;
    }
    if stall::now().saturating_sub(worker.crowd.full.get()) > AGAIN {
        // Those that were taken a moment ago are idle as soon as they have had their turn.
        yield_now().await;
        made_room(worker).await;
        if fits() {
            let tell = || format!("{most} worker_connections are not enough, reusing connections");
            once_a_second(worker, &CROWDED, Level::Warn, tell);
            return true;
        }
        worker.crowd.full.set(stall::now());
    }
    TURNED_AWAY.fetch_add(1, Ordering::Relaxed);
    let tell = || format!("{most} worker_connections are not enough, {}", turned_away());
    once_a_second(worker, &CROWDED, Level::Alert, tell);
    false
}

/// Has a connection end that is idle; whether one has.
async fn made_room(worker: &Worker) -> bool {
    // One that ended before makes no room now.
    forget(&worker.post.closed);
    let before = worker.post.connections();
    if !worker.press() {
        return false;
    }
    let _ = timeout(GRACE, worker.post.closed.notified()).await;
    worker.hold();
    worker.post.connections() < before
}

/// Goes on after a connection could not be taken: idle ones give their descriptors back, or who
/// waits is turned away by one that was held back for it; else there is a pause.
pub(super) async fn refused(worker: &Rc<Worker>, acceptor: &Acceptor, error: &io::Error) {
    // A client that left before it was taken is nothing to wait for.
    let kind = error.kind();
    if matches!(kind, io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted) {
        return;
    }
    yield_now().await;
    let failed = || format!("accept4() failed ({})", words(error));
    if made_room(worker).await {
        let tell = || format!("{}, reusing connections", failed());
        once_a_second(worker, &REFUSED, Level::Crit, tell);
        return;
    }
    let spare = worker.crowd.spares.borrow_mut().pop();
    if let Some(spare) = spare {
        drop(spare);
        let returned = Returned(Rc::clone(worker));
        // Another may have been faster.
        if let Ok(Ok((stream, _, local))) = timeout(BRIEF, acceptor.one()).await {
            TURNED_AWAY.fetch_add(1, Ordering::Relaxed);
            let tell = || format!("{}, {}", failed(), turned_away());
            once_a_second(worker, &REFUSED, Level::Crit, tell);
            turn_away(worker, stream, &local, Some(returned));
            return;
        }
    }
    once_a_second(worker, &REFUSED, Level::Crit, || format!("{}; a pause is made", failed()));
    let _ = timeout(PAUSE, worker.crowd.back.notified()).await;
    worker.crowd.refill();
}

/// How many clients were turned away since that was told last.
fn turned_away() -> String {
    match TURNED_AWAY.swap(0, Ordering::Relaxed) {
        1 => "1 client got 503".to_owned(),
        more => format!("{more} clients got 503"),
    }
}

/// Tells, if another second has begun since it was told last.
fn once_a_second(worker: &Worker, told: &AtomicU64, level: Level, text: impl Fn() -> String) {
    let second = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    if told.swap(second, Ordering::Relaxed) != second {
        worker.generation().logs.tell(level, &text());
    }
}

/// Tells a client that there is no room for it now. One of a port of TLS is told by the end of the
/// connection: a handshake would cost more than the request that it is not served.
pub(super) fn turn_away(
    worker: &Rc<Worker>,
    stream: Stream,
    local: &Endpoint,
    spare: Option<Returned>,
) {
    worker.counters.turn_away();
    let Some(answer) = answer(worker, local) else { return };
    let patience = if spare.is_some() { BRIEF } else { ATTENTION };
    let attended = Attended(Rc::clone(worker));
    worker.crowd.attended.update(|number| number + 1);
    let is_attended = worker.crowd.attended.get() <= ATTENDED;
    tokio::task::spawn_local(async move {
        // Last of all the descriptor is held back again.
        let (_spare, _attended) = (spare, attended);
        if is_attended {
            let _ = timeout(patience, read(&stream)).await;
        }
        let _ = timeout(patience, stream.writable()).await;
        let _ = stream.try_write_vectored(&[IoSlice::new(&answer)]);
        if is_attended {
            let _ = timeout(patience, has_left(&stream)).await;
        }
        drop(stream);
    });
}

/// Waits for a client to have read its answer: an end with bytes unread would take that back.
async fn has_left(stream: &Stream) -> io::Result<()> {
    stream.shutdown();
    while read(stream).await? > 0 {}
    Ok(())
}

/// Lets a client ask.
async fn read(stream: &Stream) -> io::Result<usize> {
    let mut buffer = [0; 4096];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return done,
        }
    }
}

/// What a client reads; `None` where it would not understand.
fn answer(worker: &Worker, local: &Endpoint) -> Option<Bytes> {
    let generation = worker.generation();
    let socket = generation.socket_at(local).filter(|socket| !socket.options.ssl)?;
    let server = generation.http.servers.get(socket.default)?;
    let product = product(server.location.server_tokens.tokens);
    let page = page(503, product.as_bytes()).unwrap_or_default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let date = http_date(i64::try_from(now).unwrap_or(0));
    let head = format!(
        "HTTP/1.1 503 Service Temporarily Unavailable\r\nServer: {product}\r\nDate: {}\r\n\
         Content-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        String::from_utf8_lossy(&date),
        page.len()
    );
    Some([head.as_bytes(), &page].concat().into())
}

/// A client that is waited for, until this is dropped.
struct Attended(Rc<Worker>);

impl Drop for Attended {
    fn drop(&mut self) {
        self.0.crowd.attended.update(|number| number.saturating_sub(1));
    }
}

/// A descriptor that was held back and is in use; it is held back again when this is dropped.
pub(super) struct Returned(Rc<Worker>);

impl Drop for Returned {
    fn drop(&mut self) {
        self.0.crowd.refill();
        self.0.crowd.back.notify_one();
    }
}
