//! Idle connections to peers, kept to be used again.
//!
//! A connection belongs to the event loop of the worker that opened it, so each worker keeps its own
//! idle ones, as in nginx: the limit of `keepalive` holds for each worker. One that has none takes
//! another's, which costs three system calls, and less than opening one. A connection of HTTP/2 stays
//! with the task that drives it: another worker sends a request over it, and gives it back.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::pool::{Driven, Home, elsewhere, own};
pub use super::pool::{leave, left};
use super::shelf::{Idle, Shelf, shelf, take_oldest};
use crate::connect::Address;
use crate::secure::Secured;
use crate::silence::Silence;
use crate::stream::Stream;

/// What the configuration says of a group's idle connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many a worker keeps (nginx: `keepalive`, 32 where nothing is said); 0 keeps none.
    pub connections: usize,
    /// Whether each location has its own (nginx: `keepalive … local`).
    pub local: bool,
    /// How many requests one may carry (nginx: `keepalive_requests`).
    pub requests: u64,
    /// How long one may be used (nginx: `keepalive_time`).
    pub time: Duration,
    /// How long one may be idle (nginx: `keepalive_timeout`).
    pub timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connections: 32,
            local: false,
            requests: 1000,
            time: Duration::from_hours(1),
            timeout: Duration::from_mins(1),
        }
    }
}

/// An open connection and what it has been through.
#[derive(Debug)]
pub struct Connection {
    /// The connection itself.
    pub stream: Stream,
    /// How many requests it has carried, this one included.
    pub requests: u64,
    /// When it was opened.
    pub opened: Instant,
    /// What tells the location from others that alone may use it; 0 where all may.
    pub(crate) place: u64,
    /// The address that it was to be made from (nginx: `proxy_bind`).
    pub(crate) from: Option<SocketAddr>,
    /// Its timer, which stays where it is from one request to the next.
    pub(crate) silence: Silence,
}

impl Connection {
    /// A connection opened for its first request.
    pub fn new(stream: Stream, opened: Instant) -> Self {
        Self { stream, requests: 1, opened, place: 0, from: None, silence: Silence::default() }
    }

    /// Closes it after its last request; where the peer is known to have closed it, both sides forget it
    /// at once.
    pub(crate) fn close(self, is_over: bool) {
        if is_over {
            self.stream.forget();
        }
        self.silence.leave();
    }

    /// The same in the event loop of this thread.
    fn moved(self) -> io::Result<Self> {
        Ok(Self { stream: self.stream.moved()?, silence: Silence::default(), ..self })
    }
}

thread_local! {
    /// Whether a task looks after this worker's.
    static SWEPT: Cell<bool> = const { Cell::new(false) };
}

/// How long a peer that closes after its answer has been seen to do so.
const REST: Duration = Duration::from_millis(100);

/// How often idle connections are looked at while there are any.
const SWEEP: Duration = Duration::from_secs(1);

/// Which connection is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The group that it belongs to.
    pub group: u64,
    /// Its peer.
    pub address: &'a Address,
    /// Over TLS, the handshake that it was made by.
    pub secured: Option<&'a Secured>,
    /// The address that it was to be made from.
    pub from: Option<SocketAddr>,
    /// The time.
    pub now: Instant,
}

impl Wanted<'_> {
    fn fits(&self, idle: &Idle) -> bool {
        idle.connection.from == self.from && idle.connection.stream.made_for() == self.secured
    }

    /// The idle connection that was used last, if one is still open.
    pub fn take(&self) -> Option<Box<Connection>> {
        self.take_where(|idle| self.fits(idle), Stream::is_idle)
    }

    /// The same for a request that is sent again where the peer has closed in the very moment: the
    /// kernel need not be asked whether it has.
    pub fn take_repeatable(&self) -> Option<Box<Connection>> {
        self.take_where(|idle| self.fits(idle), Stream::is_quiet)
    }

    /// The same for a request that cannot be sent twice. A peer that closes after every answer
    /// without saying so (uWSGI's `http-socket` does) looks idle for a moment; a connection must have
    /// carried two requests, or have rested, to be trusted with it.
    pub fn take_proven(&self) -> Option<Box<Connection>> {
        let proven = |idle: &Idle| {
            idle.connection.requests > 1 || self.now.saturating_duration_since(idle.since) > REST
        };
        self.take_where(|idle| self.fits(idle) && proven(idle), Stream::is_idle)
    }

    fn take_where(
        &self,
        fits: impl Fn(&Idle) -> bool,
        is_idle: fn(&Stream) -> bool,
    ) -> Option<Box<Connection>> {
        let own = own(|pool| self.open_one(&mut pool.lock().shelves, &fits, is_idle));
        let mut connection = own.or_else(|| self.anothers(fits))?;
        connection.requests += 1;
        Some(connection)
    }

    /// The latest that fits and is open still.
    fn open_one(
        &self,
        pool: &mut [Shelf],
        fits: impl Fn(&Idle) -> bool,
        is_idle: fn(&Stream) -> bool,
    ) -> Option<Box<Connection>> {
        let idle = &mut shelf(pool, self.group, self.address)?.idle;
        loop {
            let found = idle.remove(idle.iter().rposition(&fits)?);
            if found.expires > self.now && is_idle(&found.connection.stream) {
                return Some(found.connection);
            }
        }
    }

    /// One of another worker's, whose event loop may be busy, and not have heard.
    fn anothers(&self, fits: impl Fn(&Idle) -> bool) -> Option<Box<Connection>> {
        let fits = |idle: &Idle| idle.connection.stream.can_move() && fits(idle);
        let taken = elsewhere(|shelves| self.open_one(shelves, fits, Stream::is_idle));
        taken?.moved().ok().map(Box::new)
    }
}

/// Keeps a connection that has nothing more to say, as far as the settings allow.
pub fn put(
    (group, address): (u64, &Address),
    mut connection: Box<Connection>,
    settings: &Settings,
    now: Instant,
) {
    let group = group ^ connection.place;
    let worn = connection.requests >= settings.requests
        || connection.opened.checked_add(settings.time).is_some_and(|end| now > end);
    if worn || settings.connections == 0 {
        return;
    }
    own(|own| {
        let home = connection.stream.home();
        let lent = home.is_some_and(|home| !home.is(own));
        let (is_driven, lender) = (home.is_some(), home.filter(|_| lent).map(Home::pool));
        // Its worker may have ended.
        let pool = match &lender {
            Some(None) => return,
            Some(Some(lender)) => lender,
            None => own,
        };
        if lent {
            connection.silence = Silence::default();
        }
        // Where it has ended meanwhile, nobody there may look after it any more.
        let has_ended = lent && !connection.stream.is_idle();
        let mut kept = pool.lock();
        if is_driven && (kept.leaves || has_ended) {
            return;
        }
        let idle = Idle { connection, since: now, expires: now + settings.timeout };
        store(&mut kept.shelves, (group, address), idle, settings.connections);
    });
    begin_to_sweep();
}

/// Puts a connection on its shelf; where the group has as many as it may, the oldest goes.
fn store(pool: &mut Vec<Shelf>, (group, address): (u64, &Address), idle: Idle, most: usize) {
    let its = |shelf: &Shelf| shelf.group == group;
    let mine = pool.iter().filter(|shelf| its(shelf)).map(|shelf| shelf.idle.len());
    if mine.sum::<usize>() >= most {
        take_oldest(pool, its);
    }
    if let Some(shelf) = shelf(pool, group, address) {
        shelf.idle.push(idle);
    } else {
        pool.push(Shelf::new(group, address.clone(), idle));
    }
}

/// A connection of HTTP/2 that a task of this worker drives as long as the value lives.
pub(crate) fn drive() -> Driven {
    begin_to_sweep();
    own(Driven::by)
}

/// Closes the connection that has been idle for longest here, else one that is idle elsewhere, for
/// its descriptor is needed; whether there was one.
pub fn let_go() -> bool {
    let own = own(|pool| take_oldest(&mut pool.lock().shelves, |_| true));
    own.is_some() || elsewhere(|shelves| take_oldest(shelves, |_| true)).is_some()
}

fn begin_to_sweep() {
    if !SWEPT.replace(true) {
        // Owned by the pool: it ends when the pool is empty.
        tokio::task::spawn_local(sweep(Sweeper));
    }
}

/// Closes what has expired, or was closed by its peer, until nothing is left, nor may be given back.
async fn sweep(_sweeper: Sweeper) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let is_over = own(|pool| {
            let shelves = &mut pool.lock().shelves;
            let now = Instant::now();
            shelves.retain_mut(|shelf| {
                shelf.idle.retain(|idle| idle.expires > now && idle.connection.stream.is_idle());
                !shelf.idle.is_empty()
            });
            shelves.is_empty() && pool.is_at_rest()
        });
        if is_over {
            return;
        }
    }
}

/// Lets another task be started when this one has ended, in whatever way.
struct Sweeper;

impl Drop for Sweeper {
    fn drop(&mut self) {
        // At the end of the thread it may be gone already.
        let _ = SWEPT.try_with(|swept| swept.set(false));
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::UnixStream;
    use tokio::task::LocalSet;

    use super::*;

    fn pair() -> (Connection, UnixStream) {
        let (near, far) = UnixStream::pair().unwrap();
        (Connection::new(Stream::Unix(near), Instant::now()), far)
    }

    fn put(group: u64, address: &Address, connection: Connection, settings: &Settings) {
        super::put((group, address), Box::new(connection), settings, Instant::now());
    }

    fn wanted(group: u64, address: &Address) -> Wanted<'_> {
        Wanted { group, address, secured: None, from: None, now: Instant::now() }
    }

    fn address(port: u16) -> Address {
        Address::Tcp(([127, 0, 0, 1], port).into())
    }

    #[tokio::test]
    async fn the_last_put_is_the_first_taken() {
        let test = async {
            let (mut first, _far) = pair();
            let (mut second, _other) = pair();
            (first.requests, second.requests) = (10, 20);
            put(10, &address(1), first, &Settings::default());
            put(10, &address(1), second, &Settings::default());
            assert!(wanted(11, &address(1)).take().is_none());
            assert!(wanted(10, &address(2)).take().is_none());
            assert_eq!(wanted(10, &address(1)).take().map(|taken| taken.requests), Some(21));
            assert_eq!(wanted(10, &address(1)).take().map(|taken| taken.requests), Some(11));
            assert!(wanted(10, &address(1)).take().is_none());
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn what_cannot_be_sent_twice_goes_over_proven_connections() {
        let test = async {
            let (fresh, _far) = pair();
            put(20, &address(1), fresh, &Settings::default());
            assert!(wanted(20, &address(1)).take_proven().is_none());
            let proven = *wanted(20, &address(1)).take().unwrap();
            put(20, &address(1), proven, &Settings::default());
            assert_eq!(wanted(20, &address(1)).take_proven().map(|taken| taken.requests), Some(3));
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn what_the_runtime_has_heard_of_is_not_taken_for_a_repeatable_request() {
        let test = async {
            let (closed, far) = pair();
            put(1, &address(1), closed, &Settings::default());
            drop(far);
            tokio::time::sleep(Duration::from_millis(5)).await;
            assert!(wanted(1, &address(1)).take_repeatable().is_none());
            let (open, _far) = pair();
            put(1, &address(1), open, &Settings::default());
            assert_eq!(
                wanted(1, &address(1)).take_repeatable().map(|taken| taken.requests),
                Some(2)
            );
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn a_location_may_have_its_own() {
        let test = async {
            let (mut own, _far) = pair();
            own.place = 7;
            put(50, &address(1), own, &Settings::default());
            assert!(wanted(50, &address(1)).take().is_none());
            assert!(wanted(58, &address(1)).take().is_none());
            assert!(wanted(53, &address(1)).take().is_some());
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn closed_talkative_worn_and_superfluous_ones_are_let_go() {
        let test = async {
            let (closed, far) = pair();
            put(30, &address(1), closed, &Settings::default());
            drop(far);
            assert!(wanted(30, &address(1)).take().is_none());

            let (talkative, far) = pair();
            put(30, &address(1), talkative, &Settings::default());
            far.try_write(b"unasked").unwrap();
            assert!(wanted(30, &address(1)).take().is_none());

            let (mut worn, _far) = pair();
            worn.requests = 1000;
            put(30, &address(1), worn, &Settings::default());
            assert!(wanted(30, &address(1)).take().is_none());

            let one = Settings { connections: 1, ..Settings::default() };
            let ((old, _far), (mut new, _other)) = (pair(), pair());
            new.requests = 5;
            put(30, &address(1), old, &one);
            put(30, &address(1), new, &one);
            assert_eq!(wanted(30, &address(1)).take().map(|taken| taken.requests), Some(6));
            assert!(wanted(30, &address(1)).take().is_none());

            // The limit is the group's, whoever its peers are.
            let ((old, _far), (new, _other)) = (pair(), pair());
            put(30, &address(1), old, &one);
            put(30, &address(2), new, &one);
            assert!(wanted(30, &address(1)).take().is_none());
            assert!(wanted(30, &address(2)).take().is_some());
        };
        LocalSet::new().run_until(test).await;
    }
    #[tokio::test]
    async fn a_worker_without_one_takes_anothers() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let test = async {
            let (near, mut far) = pair();
            let ((mut later, _far), (mut other, _other)) = (pair(), pair());
            (later.requests, other.requests) = (5, 7);
            put(40, &address(1), near, &Settings::default());
            put(40, &address(1), later, &Settings::default());
            put(41, &address(1), other, &Settings::default());
            let elsewhere = tokio::task::spawn_blocking(|| {
                let mut builder = tokio::runtime::Builder::new_current_thread();
                let runtime = builder.enable_all().build().unwrap();
                runtime.block_on(async {
                    assert!(wanted(42, &address(1)).take().is_none());
                    assert_eq!(wanted(40, &address(1)).take().map(|taken| taken.requests), Some(6));
                    let mut taken = wanted(40, &address(1)).take().unwrap();
                    assert!(wanted(40, &address(1)).take().is_none());
                    taken.stream.write_all(b"asked").await.unwrap();
                    let mut answer = [0; 8];
                    taken.stream.read_exact(&mut answer).await.unwrap();
                    answer
                })
            });
            let mut asked = [0; 5];
            far.read_exact(&mut asked).await.unwrap();
            far.write_all(b"answered").await.unwrap();
            assert_eq!((&asked, &elsewhere.await.unwrap()), (b"asked", b"answered"));
            assert!(wanted(40, &address(1)).take().is_none());
            assert_eq!(wanted(41, &address(1)).take().map(|taken| taken.requests), Some(8));
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn a_connection_of_http2_that_has_ended_while_it_was_lent_is_not_given_back() {
        use std::sync::mpsc::channel;

        let test = async {
            let (near, far) = pair();
            let server = tokio::task::spawn_local(async move {
                let mut server = h2::server::handshake(far).await.unwrap();
                while server.accept().await.is_some() {}
            });
            let session = crate::http2::Session::open(near.stream, 4096).await.unwrap();
            let driven = Connection::new(Stream::Http2(session), Instant::now());
            put(60, &address(1), driven, &Settings::default());
            let ((taken, is_taken), (ended, has_ended)) =
                (tokio::sync::oneshot::channel(), channel());
            let borrow = async move || {
                let lent = wanted(60, &address(1)).take().expect("it is lent");
                taken.send(()).unwrap();
                has_ended.recv().unwrap();
                super::put((60, &address(1)), lent, &Settings::default(), Instant::now());
            };
            let runtime = tokio::runtime::Handle::current();
            let borrower = tokio::task::spawn_blocking(move || {
                runtime.block_on(LocalSet::new().run_until(borrow()));
            });
            is_taken.await.unwrap();
            server.abort();
            left().await;
            ended.send(()).unwrap();
            borrower.await.unwrap();
            let kept = |pool: &std::sync::Arc<super::super::pool::Pool>| {
                let kept = pool.lock();
                let its = kept.shelves.iter().filter(|shelf| shelf.group == 60);
                its.map(|shelf| shelf.idle.len()).sum::<usize>()
            };
            assert_eq!(own(kept), 0);
        };
        LocalSet::new().run_until(test).await;
    }
}
