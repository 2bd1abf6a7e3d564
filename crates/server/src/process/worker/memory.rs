//! `worker_memory_limit`: where more is in memory than there may be, idle connections end, and new
//! requests are answered 503, until it has become less.

use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::rc::Rc;
use std::time::Duration;

use tidegate_config::http::error_log::Level;
use tidegate_config::value::size::Size;

use crate::runtime::Worker;

/// How often it is measured.
const LOOK: Duration = Duration::from_millis(100);

/// More than the allocator has at hand. Nobody writes to it, so that it takes no memory.
const LARGE: usize = 64 << 20;

/// How often it is seen whether there is a limit by now.
const REST: Duration = Duration::from_secs(1);

/// Keeps to the limit in this worker; one of all measures for all.
pub(super) async fn watch(worker: Rc<Worker>, measures: bool) {
    // It is open before there are too few descriptors.
    let file = if measures { File::open("/proc/self/status").ok() } else { None };
    loop {
        let limit = worker.generation().memory_limit;
        if let Some(file) = &file {
            measure(&worker, file, limit);
        }
        if worker.counters.is_short_of_memory() {
            worker.press_all();
            give_back();
        }
        tokio::time::sleep(if limit.is_some() { LOOK } else { REST }).await;
    }
}

/// Has the allocator return to the system what nobody uses: it does so when it is asked for something
/// large, and a worker that only refuses would not ask.
fn give_back() {
    drop(black_box(Vec::<u8>::with_capacity(LARGE)));
}

fn measure(worker: &Worker, file: &File, limit: Option<Size>) {
    let was_short = worker.counters.is_short_of_memory();
    let held = limit.and_then(|_| held(file));
    let is_short = held.zip(limit).is_some_and(|(held, limit)| is_short(held, limit, was_short));
    if is_short == was_short {
        return;
    }
    worker.counters.short_of_memory(is_short);
    let mebibytes = held.unwrap_or_default() >> 20;
    let limit = limit.map_or_else(|| "off".to_owned(), |limit| limit.to_string());
    let (level, text) = if is_short {
        let what = "new requests get 503, idle connections end";
        (
            Level::Alert,
            format!("{mebibytes}m of memory are more than worker_memory_limit {limit}: {what}"),
        )
    } else {
        (
            Level::Warn,
            format!(
                "{mebibytes}m of memory keep to worker_memory_limit {limit}: requests are served again"
            ),
        )
    };
    worker.generation().logs.tell(level, &text);
}

/// A limit that was passed is kept to when a sixteenth of it is free again.
fn is_short(held: u64, Size(limit): Size, was_short: bool) -> bool {
    held > if was_short { limit - limit / 16 } else { limit }
}

/// How many bytes the process holds that are no file's.
fn held(file: &File) -> Option<u64> {
    let mut buffer = [0; 4096];
    let length = file.read_at(&mut buffer, 0).ok()?;
    let text = std::str::from_utf8(buffer.get(..length)?).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_was_passed_is_kept_to_with_a_margin() {
        let limit = Size(1600);
        assert!(!is_short(1600, limit, false) && is_short(1601, limit, false));
        assert!(is_short(1501, limit, true) && !is_short(1500, limit, true));
    }

    #[test]
    fn what_the_process_holds_is_measured() {
        let file = File::open("/proc/self/status").unwrap();
        let before = held(&file).unwrap();
        let more = vec![1_u8; 64 << 20];
        let after = held(&file).unwrap();
        assert!((60 << 20..100 << 20).contains(&(after - before)), "{before} {after}");
        drop(more);
    }
}
