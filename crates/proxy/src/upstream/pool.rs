//! A worker's idle connections, and how many of HTTP/2 its tasks drive, whoever sends requests over them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};

use tokio::sync::Notify;

use super::shelf::Shelf;

/// What a worker keeps.
#[derive(Debug, Default)]
pub(super) struct Pool {
    kept: Mutex<Kept>,
    /// How many connections of HTTP/2 its tasks drive.
    driven: AtomicUsize,
    /// Told when the last of them has ended.
    ended: Notify,
}

/// The pools of all workers.
static POOLS: Mutex<Vec<Weak<Pool>>> = Mutex::new(Vec::new());

thread_local! {
    /// This worker's.
    static OWN: Arc<Pool> = registered();
}

fn registered() -> Arc<Pool> {
    let pool = Arc::default();
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    pools.retain(|pool| pool.strong_count() > 0);
    pools.push(Arc::downgrade(&pool));
    pool
}

/// Does something with this worker's.
pub(super) fn own<T>(with: impl FnOnce(&Arc<Pool>) -> T) -> T {
    OWN.with(with)
}

/// The first that is found in another worker's. Those that are being used by it at this moment are
/// left alone.
pub(super) fn elsewhere<T>(mut find: impl FnMut(&mut Vec<Shelf>) -> Option<T>) -> Option<T> {
    let pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    pools.iter().find_map(|pool| find(&mut pool.upgrade()?.try_lock()?.shelves))
}

/// This worker is to end: from now on nobody sends requests over connections of HTTP/2 that it drives
/// and that are idle.
pub fn leave() {
    own(|pool| {
        let mut kept = pool.lock();
        kept.leaves = true;
        for shelf in &mut kept.shelves {
            shelf.idle.retain(|idle| idle.connection.stream.home().is_none());
        }
    });
}

/// After [`leave`], ready when all requests have ended that others have sent over such connections.
pub async fn left() {
    let pool = own(Arc::clone);
    while !pool.is_at_rest() {
        pool.ended.notified().await;
    }
}

/// The idle connections of a worker.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Those that are empty stay for a while: they are filled again.
    pub(super) shelves: Vec<Shelf>,
    /// The worker is to end: what its tasks drive is kept no more.
    pub(super) leaves: bool,
}

impl Pool {
    /// What is kept, as soon as nobody else looks at it. Nothing that is done meanwhile can panic.
    pub(super) fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept, unless somebody else looks at it.
    fn try_lock(&self) -> Option<MutexGuard<'_, Kept>> {
        match self.kept.try_lock() {
            Ok(kept) => Some(kept),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Whether no task of the worker drives a connection.
    pub(super) fn is_at_rest(&self) -> bool {
        self.driven.load(Ordering::Acquire) == 0
    }
}

/// The worker whose task drives a connection, as the connection knows it.
#[derive(Clone, Debug)]
pub(crate) struct Home(Weak<Pool>);

impl Home {
    /// What the worker keeps, as long as it is there.
    pub(super) fn pool(&self) -> Option<Arc<Pool>> {
        self.0.upgrade()
    }

    /// Whether it is the worker that keeps this.
    pub(super) fn is(&self, pool: &Arc<Pool>) -> bool {
        std::ptr::eq(self.0.as_ptr(), Arc::as_ptr(pool))
    }
}

/// A connection that a task of a worker drives, until this is dropped: the worker does not end before.
#[derive(Debug)]
pub(crate) struct Driven(Arc<Pool>);

impl Driven {
    pub(super) fn by(pool: &Arc<Pool>) -> Self {
        pool.driven.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(pool))
    }

    /// The worker.
    pub(crate) fn home(&self) -> Home {
        Home(Arc::downgrade(&self.0))
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        if self.0.driven.fetch_sub(1, Ordering::Release) == 1 {
            self.0.ended.notify_one();
        }
    }
}
