//! Limits of a process.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// `worker_rlimit_nofile`; without it, as many as are allowed.
pub(super) fn files(wanted: Option<u32>) {
    let now = getrlimit(Resource::Nofile);
    let limit = match wanted {
        Some(number) => {
            let number = u64::from(number);
            Rlimit { current: Some(number), maximum: now.maximum.map(|most| most.max(number)) }
        }
        None => Rlimit { current: now.maximum, maximum: now.maximum },
    };
    // Without the right to raise it, the old one holds, and EMFILE is told when it comes to that.
    let _ = setrlimit(Resource::Nofile, limit);
}
