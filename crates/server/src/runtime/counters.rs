//! Numbers of what goes on in all workers.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tidegate_http::subrequest::Connections;

/// Numbers of what goes on in all workers (`stub_status`).
#[derive(Debug, Default)]
pub(crate) struct Counters {
    accepted: AtomicU64,
    active: AtomicU64,
    requests: AtomicU64,
    reading: AtomicU64,
    writing: AtomicU64,
    turned_away: AtomicU64,
    short_of_memory: AtomicBool,
}

/// Something that is going on, counted until this is dropped.
pub(crate) struct Going<'a>(&'a AtomicU64);

impl<'a> Going<'a> {
    fn on(number: &'a AtomicU64) -> Self {
        number.fetch_add(1, Ordering::Relaxed);
        Self(number)
    }
}

impl Drop for Going<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Counters {
    /// A head is being read.
    pub(crate) fn reading(&self) -> Going<'_> {
        Going::on(&self.reading)
    }

    /// A request is being answered.
    pub(crate) fn writing(&self) -> Going<'_> {
        Going::on(&self.writing)
    }

    /// What connections are at.
    pub(crate) fn connections(&self) -> Connections {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let (active, reading) = (read(&self.active), read(&self.reading));
        let writing = read(&self.writing);
        Connections { active, reading, writing, waiting: active.saturating_sub(reading + writing) }
    }

    /// A connection was taken; its number.
    pub(crate) fn open(&self) -> u64 {
        self.active.fetch_add(1, Ordering::Relaxed);
        self.accepted.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A connection ended.
    pub(crate) fn close(&self) {
        self.active.fetch_sub(1, Ordering::Relaxed);
    }

    /// A request came.
    pub(crate) fn request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection was taken only to tell the client that there is no room.
    pub(crate) fn turn_away(&self) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    /// How many clients were told so.
    pub(crate) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// Whether there is more in memory than there may be (`worker_memory_limit`).
    pub(crate) fn is_short_of_memory(&self) -> bool {
        self.short_of_memory.load(Ordering::Relaxed)
    }

    /// There is more in memory than there may be, or no more; what was known before.
    pub(crate) fn short_of_memory(&self, is_short: bool) -> bool {
        self.short_of_memory.swap(is_short, Ordering::Relaxed)
    }

    /// Connections taken, connections open, requests.
    pub(crate) fn read(&self) -> (u64, u64, u64) {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        (read(&self.accepted), read(&self.active), read(&self.requests))
    }
}
