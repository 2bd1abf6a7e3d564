//! Other processes that serve beside this one, while one of them drains: each tells the others what
//! its clients hold in zones of `limit_conn`.
//!
//! Every two of them have a socket between them, and nobody else has an end of it: when a process
//! dies, the others read the end of it, and what it held is given back. Threads wait for it, so that
//! no request does.

use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tidegate_http::zone::{Ledger, Neighbour};

use super::channel::{Channel, Message};

/// The most processes that are told.
pub(super) const MOST: usize = 16;

/// The longest message, in bytes: a piece of news and the longest key.
const LONGEST: u64 = 1 << 20;

/// How long one that begins waits to hear what the others hold.
const PATIENCE: Duration = Duration::from_secs(1);

/// What clients hold in a zone.
const NEWS: u8 = b'n';

/// All that is held in a zone is asked for.
const QUESTION: u8 = b'q';

/// All that was held when the socket was opened has been told.
const COMPLETE: u8 = b'c';

/// A socket to another process, which begins.
const INTRODUCTION: u8 = b'i';

/// The processes that serve beside this one.
pub(super) struct Neighbours {
    ledger: Arc<Ledger>,
    links: Mutex<Vec<Arc<Link>>>,
}

/// The same for one that may end before its process does: with this value all ways end.
pub(super) struct Beside(pub(super) Arc<Neighbours>);

impl Drop for Beside {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// A way to another process.
struct Link {
    neighbour: Neighbour,
    stream: UnixStream,
    bell: SyncSender<()>,
    /// Sockets that the other is to get.
    introductions: Mutex<Vec<OwnedFd>>,
}

impl Neighbours {
    /// Those who share what is in a ledger: nobody yet.
    pub(super) fn new(ledger: &Arc<Ledger>) -> Arc<Self> {
        Arc::new(Self { ledger: Arc::clone(ledger), links: Mutex::default() })
    }

    /// Sockets to this process and to all that serve beside it, for one that begins.
    pub(super) fn introduce(self: &Arc<Self>) -> io::Result<Vec<OwnedFd>> {
        let others: Vec<_> = self.links().clone();
        let (own, first) = UnixStream::pair()?;
        self.join(own, None)?;
        let mut ways = vec![OwnedFd::from(first)];
        for other in others.iter().rev().take(MOST - 1) {
            let (theirs, way) = UnixStream::pair()?;
            lock(&other.introductions).push(theirs.into());
            // Whoever tells it is awake already, or gone.
            let _ = other.bell.try_send(());
            ways.push(way.into());
        }
        Ok(ways)
    }

    /// Takes the sockets that another process has introduced this one by; ready when it is known what
    /// is held there, or when that takes too long.
    pub(super) fn meet(self: &Arc<Self>, ways: Vec<OwnedFd>) {
        let (complete, told) = channel();
        for way in ways.into_iter().take(MOST) {
            // Without a thread to listen nobody is heard, and the limits count what is here.
            let _ = self.join(way.into(), Some(complete.clone()));
        }
        drop(complete);
        let end = Instant::now() + PATIENCE;
        let left = || end.saturating_duration_since(Instant::now());
        // It says nothing, and ends when all have been heard.
        let _: Result<(), _> = told.recv_timeout(left());
    }

    /// Tells another process, and hears it, until it is gone.
    fn join(self: &Arc<Self>, stream: UnixStream, complete: Option<Sender<()>>) -> io::Result<()> {
        let mut links = self.links();
        if links.len() >= MOST {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        let incoming = Channel::patient(stream.try_clone()?, LONGEST);
        let outgoing = Channel::patient(stream.try_clone()?, LONGEST);
        let (bell, rung) = sync_channel(1);
        let neighbour = self.ledger.meet(bell.clone());
        let introductions = Mutex::default();
        let link = Arc::new(Link { neighbour, stream, bell, introductions });
        let (all, own) = (Arc::clone(self), Arc::clone(&link));
        let hear = move || {
            all.hear(&incoming, &own, complete);
            all.part(&own);
        };
        let (ledger, own) = (Arc::clone(&self.ledger), Arc::downgrade(&link));
        let tell = move || {
            let told = || -> io::Result<()> {
                news(&ledger, neighbour, &outgoing)?;
                outgoing.send(COMPLETE, &[], &[])?;
                while rung.recv().is_ok() {
                    news(&ledger, neighbour, &outgoing)?;
                    questions(&ledger, neighbour, &outgoing)?;
                    let Some(link) = own.upgrade() else { break };
                    let ways = std::mem::take(&mut *lock(&link.introductions));
                    ways.iter()
                        .try_for_each(|way| outgoing.send(INTRODUCTION, &[], &[way.as_fd()]))?;
                }
                Ok(())
            };
            // Where it is gone, whoever hears it knows.
            let _ = told();
        };
        let started = named("hear").spawn(hear).and_then(|_| named("tell").spawn(tell));
        links.push(Arc::clone(&link));
        drop(links);
        started.map(drop).inspect_err(|_| self.part(&link))
    }

    /// Hears another process until it is gone.
    fn hear(self: &Arc<Self>, incoming: &Channel, link: &Link, mut complete: Option<Sender<()>>) {
        while let Ok(Message { kind, fields, files, .. }) = incoming.receive() {
            match (kind, fields.as_slice()) {
                (NEWS, [piece]) => {
                    let heard = self.ledger.hear(link.neighbour, piece);
                    // One who talks nonsense is not believed in anything.
                    let Some(()) = heard else { return };
                }
                (QUESTION, [zone]) => {
                    let Some(()) = self.ledger.asked(link.neighbour, zone) else { return };
                }
                (COMPLETE, _) => drop(complete.take()),
                (INTRODUCTION, _) => {
                    for way in files {
                        // One too many is not heard.
                        let _ = self.join(way.into(), None);
                    }
                }
                // A newer one may say more.
                _ => {}
            }
        }
    }

    /// Ends all ways to others, which give back what is held here.
    fn leave(&self) {
        for link in self.links().iter() {
            // It is over already, or whoever hears it parts.
            let _ = link.stream.shutdown(Shutdown::Both);
        }
    }

    /// Another process is gone.
    fn part(&self, link: &Link) {
        self.links().retain(|other| other.neighbour != link.neighbour);
        self.ledger.part(link.neighbour);
        // Whoever tells it ends.
        let _ = link.stream.shutdown(Shutdown::Both);
    }

    fn links(&self) -> MutexGuard<'_, Vec<Arc<Link>>> {
        lock(&self.links)
    }
}

/// Tells what is new.
fn news(ledger: &Ledger, neighbour: Neighbour, outgoing: &Channel) -> io::Result<()> {
    let news = ledger.news(neighbour);
    news.iter().try_for_each(|piece| outgoing.send(NEWS, &[piece], &[]))
}

/// Asks for what was told before it could be understood.
fn questions(ledger: &Ledger, neighbour: Neighbour, outgoing: &Channel) -> io::Result<()> {
    let questions = ledger.questions(neighbour);
    questions.iter().try_for_each(|zone| outgoing.send(QUESTION, &[zone], &[]))
}

fn named(name: &str) -> thread::Builder {
    thread::Builder::new().name(format!("{name} neighbour"))
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tidegate_http::zone::ConnectionZone;

    use super::*;

    /// A process with a zone of two places a client.
    struct Process(Arc<Neighbours>, Arc<ConnectionZone>);

    impl Process {
        fn alone() -> Self {
            let ledger = Arc::<Ledger>::default();
            let zone = ledger.zone(["one", "$arg_k"], 32768);
            Self(Neighbours::new(&ledger), zone)
        }

        /// One that begins beside this one.
        fn another(&self) -> Self {
            let new = Self::alone();
            new.0.meet(self.0.introduce().unwrap());
            new
        }

        /// Its end, be it by a signal: the system closes its sockets.
        fn dies(self) {
            drop(Beside(self.0));
        }

        fn is_full(&self, key: &[u8]) -> bool {
            self.1.hold(key, 2).is_err()
        }
    }

    fn eventually(what: &str, so: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_mins(1);
        while !so() {
            assert!(Instant::now() < end, "{what}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn each_of_three_knows_what_the_others_hold_and_forgets_it_with_their_end() {
        let first = Process::alone();
        let held = first.1.hold(b"a", 2).unwrap();
        let second = first.another();
        let _second = second.1.hold(b"a", 2).unwrap();
        let third = second.another();
        for (name, one) in [("first", &first), ("second", &second), ("third", &third)] {
            eventually(name, || one.is_full(b"a"));
        }
        // The one between them is gone, and they go on to tell each other.
        second.dies();
        eventually("its place is free", || !third.is_full(b"a"));
        let _again = third.1.hold(b"a", 2).unwrap();
        eventually("the first knows of the third", || first.is_full(b"a"));
        assert!(third.is_full(b"a"));
        drop(held);
        eventually("a place is given back", || !third.is_full(b"a"));
        let _held = first.1.hold(b"b", 2).unwrap();
        let _more = first.1.hold(b"b", 2).unwrap();
        eventually("the third knows", || third.is_full(b"b"));
        first.dies();
        eventually("all is given back", || !third.is_full(b"b"));
        eventually("it is alone", || third.0.links().is_empty());
    }

    #[test]
    fn a_zone_that_is_added_hears_what_others_hold_in_it() {
        let zone = |of: &Process| of.0.ledger.zone(["two", ""], 32768);
        let first = Process::alone();
        let theirs = zone(&first);
        let held = theirs.hold(b"a", 1).unwrap();
        let second = first.another();
        let mine = zone(&second);
        eventually("it is held there", || mine.hold(b"a", 1).is_err());
        drop(held);
        eventually("it is given back", || mine.hold(b"a", 1).is_ok());
    }

    #[test]
    fn there_are_so_many_neighbours_and_no_more() {
        let first = Process::alone();
        let ways: Vec<_> = (0..MOST).map(|_| first.0.introduce().unwrap()).collect();
        assert!(first.0.introduce().is_err());
        assert!(ways.iter().all(|ways| ways.len() <= MOST));
        // Nobody has begun by them.
        drop(ways);
        eventually("they are forgotten", || first.0.links().is_empty());
        assert!(first.0.introduce().is_ok());
    }

    #[test]
    fn one_who_talks_nonsense_or_says_nothing_is_no_hindrance() {
        let first = Process::alone();
        let (own, other) = UnixStream::pair().unwrap();
        let way = Channel::patient(other, LONGEST);
        way.send(NEWS, &[b"nonsense"], &[]).unwrap();
        first.0.meet(vec![own.into()]);
        eventually("it is left alone", || first.0.links().is_empty());
        let (silent, _other) = UnixStream::pair().unwrap();
        first.0.meet(vec![silent.into()]);
        assert!(!first.is_full(b"a"));
    }
}
