//! What a process that serves gets from the system: limits, priority, folder, processors.

use std::io;

use anyhow::{Context, Result};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tidegate_config::block::main::{Affinity, Process};
use tidegate_http::log::words::words;

/// `worker_rlimit_nofile` of another process, or of this one; without it, as many as are allowed
/// here. Without the right to raise it the old one holds, and EMFILE is told when it comes to that.
pub(super) fn files(whose: Option<Pid>, wanted: Option<u32>) -> io::Result<()> {
    let now = getrlimit(Resource::Nofile);
    let limit = match wanted {
        Some(number) => {
            let number = u64::from(number);
            Rlimit { current: Some(number), maximum: now.maximum.map(|most| most.max(number)) }
        }
        None => Rlimit { current: now.maximum, maximum: now.maximum },
    };
    prlimit(whose, Resource::Nofile, limit)?;
    Ok(())
}

/// Whether this many are more than this process may allow itself.
pub(super) fn is_beyond(wanted: Option<u32>) -> bool {
    let most = getrlimit(Resource::Nofile).maximum;
    wanted.zip(most).is_some_and(|(wanted, most)| u64::from(wanted) > most)
}

/// `worker_rlimit_nofile`, `worker_priority` and `worker_rlimit_core`; to be called with the rights of
/// the start. What the system does not grant is no reason not to serve, and to be told (nginx:
/// `ngx_worker_process_init`).
pub(super) fn apply(process: &Process) -> Vec<String> {
    let mut faults = Vec::new();
    let mut tell = |call: String, error: io::Error| {
        faults.push(format!("{call} failed ({})", words(&error)));
    };
    if let Err(error) = files(None, process.rlimit_nofile) {
        let number = process.rlimit_nofile.unwrap_or_default();
        tell(format!("setrlimit(RLIMIT_NOFILE, {number})"), error);
    }
    if let Some(size) = process.rlimit_core {
        let limit = Rlimit { current: Some(size.0), maximum: Some(size.0) };
        if let Err(error) = setrlimit(Resource::Core, limit) {
            tell(format!("setrlimit(RLIMIT_CORE, {})", size.0), error.into());
        }
    }
    if let Some(priority) = process.priority
        && let Err(error) = rustix::process::setpriority_process(None, priority.0)
    {
        tell(format!("setpriority({})", priority.0), error.into());
    }
    faults
}

/// `working_directory`; to be called with the rights of the one who serves.
pub(super) fn enter_folder(process: &Process) -> Result<()> {
    let Some(folder) = &process.working_directory else { return Ok(()) };
    std::env::set_current_dir(folder).with_context(|| format!("chdir(\"{folder}\") failed"))
}

/// `worker_cpu_affinity`, for this thread. Where the system refuses, it places the thread.
pub(super) fn place(affinity: &Affinity, worker: usize) {
    let Ok(usable) = sched_getaffinity(None) else { return };
    let there: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|at| usable.is_set(*at)).collect();
    let mut wanted = CpuSet::new();
    affinity.of(worker, &there).into_iter().for_each(|processor| wanted.set(processor));
    if wanted.count() > 0 {
        let _ = sched_setaffinity(None, &wanted);
    }
}
