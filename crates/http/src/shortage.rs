//! Where the system has nothing left that a request takes: descriptors, or memory for sockets.

use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::io::Errno;

/// How long a shortage is reckoned with after it was met, in milliseconds.
const ACUTE: u64 = 1000;

/// When one was met last, in milliseconds since 1970; when one was told last, in seconds.
static MET: AtomicU64 = AtomicU64::new(0);
static TOLD: AtomicU64 = AtomicU64::new(0);

/// How many were met since that was told.
static UNTOLD: AtomicU32 = AtomicU32::new(0);

/// Whether a system call failed for want of something, and not for what it was asked.
pub fn is_shortage(error: &io::Error) -> bool {
    let number = Errno::from_io_error(error);
    matches!(number, Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM))
}

/// A request has met a shortage and is answered 503: what is told of it, which is one line a second.
pub fn told(text: &str) -> Option<String> {
    let now = now();
    MET.store(millis(now), Ordering::Relaxed);
    if TOLD.swap(now.as_secs(), Ordering::Relaxed) == now.as_secs() {
        UNTOLD.fetch_add(1, Ordering::Relaxed);
        return None;
    }
    Some(match UNTOLD.swap(0, Ordering::Relaxed) {
        0 => format!("{text}; the request gets 503"),
        more => format!("{text}; the request gets 503, as did {more} others since that was told"),
    })
}

/// Whether a request has met a shortage a moment ago: one who is answered 503 then had better give
/// the descriptor of its connection back.
pub fn is_acute() -> bool {
    let met = MET.load(Ordering::Relaxed);
    met > 0 && millis(now()).saturating_sub(met) < ACUTE
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lacks_is_told_once_a_second() {
        let errors = [24, 23, 105, 12].map(io::Error::from_raw_os_error);
        assert!(errors.iter().all(is_shortage));
        let others = [2, 13, 28, 111].map(io::Error::from_raw_os_error);
        assert!(!others.iter().any(is_shortage) && !is_shortage(&io::Error::other("broken")));
        assert!(!is_acute());
        let told: Vec<String> = (0..100).filter_map(|_| told("socket() failed")).collect();
        assert!((1..=2).contains(&told.len()), "{told:?}");
        assert_eq!(told[0], "socket() failed; the request gets 503");
        assert!(is_acute());
    }
}
