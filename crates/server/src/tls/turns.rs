//! Handshakes take turns, so that their signatures hold nobody else up.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rustls::SignatureAlgorithm;
use rustls::sign::CertifiedKey;
use tokio::sync::Semaphore;
use tokio::task::{spawn_blocking, yield_now};
use x509_parser::public_key::PublicKey;

/// How long handshakes may hold a worker before all others have had their turn.
const TURN: Duration = Duration::from_micros(500);

/// The longest RSA key that is signed by on the worker itself, in bits. A signature by one of 4096
/// takes six times as long.
const RSA: usize = 2048;

/// What a handshake's signature costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// Less than a millisecond.
    Light,
    /// Some milliseconds.
    Heavy,
}

impl Weight {
    /// Of a handshake by one of these certificates.
    pub(super) fn of<'a>(mut certificates: impl Iterator<Item = &'a CertifiedKey>) -> Self {
        if certificates.any(is_heavy) { Self::Heavy } else { Self::Light }
    }
}

fn is_heavy(certified: &CertifiedKey) -> bool {
    let bits = || {
        let (_, parsed) = x509_parser::parse_x509_certificate(certified.cert.first()?).ok()?;
        match parsed.public_key().parsed().ok()? {
            PublicKey::RSA(key) => Some(key.key_size()),
            _ => None,
        }
    };
    certified.key.algorithm() == SignatureAlgorithm::RSA && bits().is_none_or(|bits| bits > RSA)
}

/// The turns of one worker's handshakes.
#[derive(Debug)]
pub(crate) struct Turns {
    light: Semaphore,
    heavy: Semaphore,
    /// How long handshakes have held the worker since all others had their turn.
    spent: Cell<Duration>,
}

impl Turns {
    /// Nobody waits yet.
    pub(crate) fn new() -> Self {
        Self { light: Semaphore::new(1), heavy: Semaphore::new(1), spent: Cell::default() }
    }

    /// Does a handshake's work when it is its turn: on the worker, or, where it takes long, on a
    /// thread beside it. `None` where that thread has broken down.
    pub(super) async fn take<T, F>(&self, weight: Weight, work: F) -> Option<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        if weight == Weight::Heavy {
            let _turn = self.heavy.acquire().await.ok()?;
            return spawn_blocking(work).await.ok();
        }
        let _turn = self.light.acquire().await.ok()?;
        if self.spent.get() >= TURN {
            // Comes back behind all that is ready, and behind what the kernel has meanwhile.
            yield_now().await;
            self.spent.set(Duration::ZERO);
        }
        let begin = Instant::now();
        let done = work();
        self.spent.set(self.spent.get() + begin.elapsed());
        Some(done)
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    #[tokio::test]
    async fn others_have_their_turn_between_two_that_take_long() {
        let turns = Rc::new(Turns::new());
        let others = Rc::new(Cell::new(0));
        let set = tokio::task::LocalSet::new();
        for _ in 0..5 {
            let turns = Rc::clone(&turns);
            set.spawn_local(async move {
                turns.take(Weight::Light, || std::thread::sleep(TURN)).await;
            });
        }
        let counted = Rc::clone(&others);
        set.spawn_local(async move {
            for _ in 0..3 {
                yield_now().await;
                counted.set(counted.get() + 1);
            }
        });
        let last = set.spawn_local(async move {
            turns.take(Weight::Light, || ()).await;
            assert!(others.get() >= 3, "{}", others.get());
            assert_eq!(turns.take(Weight::Heavy, || 7).await, Some(7));
        });
        set.run_until(last).await.unwrap();
    }
}
