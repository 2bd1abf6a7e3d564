//! Idle connections to peers, kept to be used again.
//!
//! A connection belongs to the event loop of the worker that opened it, so each worker has its own
//! idle ones, as in nginx: the limit of `keepalive` holds for each worker.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use crate::connect::Address;
use crate::secure::Secured;
use crate::silence::Silence;
use crate::stream::Stream;

/// What the configuration says of a group's idle connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many a worker keeps (nginx: `keepalive`, 32 where nothing is said); 0 keeps none.
    pub connections: usize,
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
    /// Its timer, which stays where it is from one request to the next.
    pub(crate) silence: Silence,
}

impl Connection {
    /// A connection opened for its first request.
    pub fn new(stream: Stream) -> Self {
        Self { stream, requests: 1, opened: Instant::now(), silence: Silence::default() }
    }
}

#[derive(Debug)]
struct Idle {
    /// Which group it belongs to.
    group: u64,
    address: Address,
    connection: Connection,
    since: Instant,
    expires: Instant,
}

thread_local! {
    /// This worker's idle connections, the latest last.
    static POOL: RefCell<Vec<Idle>> = const { RefCell::new(Vec::new()) };
    /// Whether a task looks after them.
    static SWEPT: Cell<bool> = const { Cell::new(false) };
}

/// How long a peer that closes after its answer has been seen to do so.
const REST: Duration = Duration::from_millis(100);

/// How often idle connections are looked at while there are any.
const SWEEP: Duration = Duration::from_secs(1);

/// The idle connection of this group to this peer that was used last, if one is still open; over TLS,
/// one by the same handshake.
pub fn take(group: u64, address: &Address, secured: Option<&Secured>) -> Option<Connection> {
    take_where(group, address, |idle| idle.connection.stream.made_for() == secured)
}

/// The same for a request that cannot be sent twice. A peer that closes after every answer without
/// saying so (uWSGI's `http-socket` does) looks idle for a moment; a connection must have carried
/// two requests, or have rested, to be trusted with it.
pub fn take_proven(group: u64, address: &Address, secured: Option<&Secured>) -> Option<Connection> {
    take_where(group, address, |idle| {
        idle.connection.stream.made_for() == secured
            && (idle.connection.requests > 1 || idle.since.elapsed() > REST)
    })
}

fn take_where(
    group: u64,
    address: &Address,
    trusted: impl Fn(&Idle) -> bool,
) -> Option<Connection> {
    POOL.with_borrow_mut(|pool| {
        let now = Instant::now();
        loop {
            let fits =
                |idle: &Idle| idle.group == group && idle.address == *address && trusted(idle);
            let found = pool.remove(pool.iter().rposition(fits)?);
            if found.expires > now && found.connection.stream.is_idle() {
                let mut connection = found.connection;
                connection.requests += 1;
                return Some(connection);
            }
        }
    })
}

/// Keeps a connection that has nothing more to say, as far as the settings allow.
pub fn put(group: u64, address: &Address, connection: Connection, settings: &Settings) {
    let now = Instant::now();
    let worn = connection.requests >= settings.requests
        || now.duration_since(connection.opened) > settings.time;
    if worn || settings.connections == 0 {
        return;
    }
    POOL.with_borrow_mut(|pool| {
        let mine = pool.iter().filter(|idle| idle.group == group).count();
        if mine >= settings.connections
            && let Some(oldest) = pool.iter().position(|idle| idle.group == group)
        {
            pool.remove(oldest);
        }
        let expires = now + settings.timeout;
        pool.push(Idle { group, address: address.clone(), connection, since: now, expires });
    });
    if !SWEPT.replace(true) {
        // Owned by the pool: it ends when the pool is empty.
        tokio::task::spawn_local(sweep(Sweeper));
    }
}

/// Closes what has expired, or was closed by its peer, until nothing is left.
async fn sweep(_sweeper: Sweeper) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let left = POOL.with_borrow_mut(|pool| {
            let now = Instant::now();
            pool.retain(|idle| idle.expires > now && idle.connection.stream.is_idle());
            pool.len()
        });
        if left == 0 {
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
        (Connection::new(Stream::Unix(near)), far)
    }

    fn address(port: u16) -> Address {
        Address::Tcp(([127, 0, 0, 1], port).into())
    }

    fn marked(connection: &Connection) -> u64 {
        connection.requests
    }

    #[tokio::test]
    async fn the_last_put_is_the_first_taken() {
        let test = async {
            let (mut first, _far) = pair();
            let (mut second, _other) = pair();
            (first.requests, second.requests) = (10, 20);
            put(1, &address(1), first, &Settings::default());
            put(1, &address(1), second, &Settings::default());
            assert!(take(2, &address(1), None).is_none());
            assert!(take(1, &address(2), None).is_none());
            assert_eq!(take(1, &address(1), None).as_ref().map(marked), Some(21));
            assert_eq!(take(1, &address(1), None).as_ref().map(marked), Some(11));
            assert!(take(1, &address(1), None).is_none());
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn what_cannot_be_sent_twice_goes_over_proven_connections() {
        let test = async {
            let (fresh, _far) = pair();
            put(1, &address(1), fresh, &Settings::default());
            assert!(take_proven(1, &address(1), None).is_none());
            let proven = take(1, &address(1), None).unwrap();
            put(1, &address(1), proven, &Settings::default());
            assert_eq!(take_proven(1, &address(1), None).as_ref().map(marked), Some(3));
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn closed_talkative_worn_and_superfluous_ones_are_let_go() {
        let test = async {
            let (closed, far) = pair();
            put(1, &address(1), closed, &Settings::default());
            drop(far);
            assert!(take(1, &address(1), None).is_none());

            let (talkative, far) = pair();
            put(1, &address(1), talkative, &Settings::default());
            far.try_write(b"unasked").unwrap();
            assert!(take(1, &address(1), None).is_none());

            let (mut worn, _far) = pair();
            worn.requests = 1000;
            put(1, &address(1), worn, &Settings::default());
            assert!(take(1, &address(1), None).is_none());

            let one = Settings { connections: 1, ..Settings::default() };
            let ((old, _far), (mut new, _other)) = (pair(), pair());
            new.requests = 5;
            put(1, &address(1), old, &one);
            put(1, &address(1), new, &one);
            assert_eq!(take(1, &address(1), None).as_ref().map(marked), Some(6));
            assert!(take(1, &address(1), None).is_none());
        };
        LocalSet::new().run_until(test).await;
    }
}
