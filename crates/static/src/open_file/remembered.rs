//! `open_file_cache`: what was found at a path holds for a while (nginx: `ngx_open_cached_file`).

use std::cell::RefCell;
use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use tidegate_config::http::open_file_cache::{OpenFileCache, OpenFiles};
use tidegate_http::exchange::Exchange;

use super::lru::Lru;
use super::{Found, look};
use crate::symlink::Links;

thread_local! {
    /// By the directives, each told by its address, which is no other's while it is held here.
    static REMEMBERED: RefCell<HashMap<usize, (Arc<OpenFiles>, Remembered)>> = RefCell::default();
}

/// What is remembered for one directive.
#[derive(Debug, Default)]
struct Remembered(Lru<Entry>);

/// What is known of one path.
#[derive(Debug)]
struct Entry {
    /// What was found there, once it was asked for often enough.
    found: Option<Result<Found, Errno>>,
    /// By which links.
    links: Links,
    /// When it was looked at.
    looked: Instant,
    used: Instant,
    uses: u32,
}

/// Forgets everything in this thread: another configuration holds from now on.
pub fn forget() {
    REMEMBERED.take();
}

/// What lies at a path, or did when it was looked at last. The request's own beginning is the time by
/// which is judged, which costs no look at the clock.
pub(super) async fn open(ex: &Exchange<'_>, path: &Path, links: &Links) -> Result<Found, Errno> {
    let rule = &*ex.location.open_file_cache;
    let now = ex.started;
    let known = with(rule, |remembered, files| {
        let known = remembered.find(path, links, (rule.valid, now));
        remembered.expire(files, now);
        known
    });
    if let Some(Some(found)) = known {
        return found;
    }
    let found = look(path, links).await;
    with(rule, |remembered, files| {
        remembered.note(path, (&found, links), (rule, files), now);
    });
    found
}

fn with<T>(rule: &OpenFileCache, what: impl FnOnce(&mut Remembered, &OpenFiles) -> T) -> Option<T> {
    let files = rule.cache.as_ref()?;
    REMEMBERED.with_borrow_mut(|all| {
        let new = || (Arc::clone(files), Remembered::default());
        let (files, remembered) = all.entry(Arc::as_ptr(files).addr()).or_insert_with(new);
        Some(what(remembered, files))
    })
}

impl Remembered {
    /// What holds of a path; it counts as a use of it.
    fn find(
        &mut self,
        path: &Path,
        links: &Links,
        (valid, now): (Duration, Instant),
    ) -> Option<Result<Found, Errno>> {
        let entry = self.0.touch(path.as_os_str().as_bytes())?;
        entry.uses = entry.uses.saturating_add(1);
        entry.used = entry.used.max(now);
        let holds = now.saturating_duration_since(entry.looked) < valid && entry.links == *links;
        entry.found.clone().filter(|_| holds)
    }

    /// Takes note of what was found at a path.
    fn note(
        &mut self,
        path: &Path,
        (found, links): (&Result<Found, Errno>, &Links),
        (rule, files): (&OpenFileCache, &OpenFiles),
        now: Instant,
    ) {
        let path = path.as_os_str().as_bytes();
        if found.is_err() && !rule.errors {
            return self.0.remove(path);
        }
        let uses = self.0.touch(path).map(|entry| entry.uses);
        if uses.is_none() && self.0.len() >= files.max as usize {
            self.0.remove_oldest();
            self.expire(files, now);
        }
        let uses = uses.unwrap_or(1);
        // Only what is open is asked for often before it is kept.
        let is_kept = uses >= rule.min_uses || !matches!(found, Ok(Found::File(_)));
        let (found, links) = (is_kept.then(|| found.clone()), links.clone());
        self.0.insert(path, Entry { found, links, looked: now, used: now, uses });
    }

    /// Forgets one or two that nobody has asked for for long.
    fn expire(&mut self, files: &OpenFiles, now: Instant) {
        for _ in 0..2 {
            let idle = |entry: &Entry| now.saturating_duration_since(entry.used) > files.inactive;
            if !self.0.oldest().is_some_and(idle) {
                return;
            }
            self.0.remove_oldest();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: OpenFiles = OpenFiles { max: 2, inactive: Duration::from_secs(10) };

    fn rule(min_uses: u32, errors: bool) -> OpenFileCache {
        let cache = Some(Arc::new(FILES));
        OpenFileCache { cache, valid: Duration::from_secs(5), min_uses, errors }
    }

    #[test]
    fn what_was_found_holds_for_its_time_and_leaves_unused() {
        let (mut all, rule, start) = (Remembered::default(), rule(1, false), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let folder = Ok(Found::Folder);
        let find = |all: &mut Remembered, path: &str, seconds| {
            all.expire(&FILES, at(seconds));
            all.find(Path::new(path), &Links::All, (rule.valid, at(seconds))).is_some()
        };
        let note = |all: &mut Remembered, path: &str, found: &_, seconds| {
            all.note(Path::new(path), (found, &Links::All), (&rule, &FILES), at(seconds));
        };
        note(&mut all, "a", &folder, 0);
        assert!(find(&mut all, "a", 4) && !find(&mut all, "a", 5) && !find(&mut all, "b", 0));
        note(&mut all, "b", &folder, 6);
        note(&mut all, "c", &folder, 6);
        assert!(!find(&mut all, "a", 6) && find(&mut all, "b", 6) && all.0.len() == 2);
        note(&mut all, "b", &Err(Errno::NOENT), 7);
        assert!(!find(&mut all, "b", 7) && find(&mut all, "c", 7));
        assert!(!find(&mut all, "c", 18) && all.0.len() == 0);
    }

    #[test]
    fn a_path_by_other_links_is_another() {
        let (mut all, rule, now) = (Remembered::default(), rule(1, true), Instant::now());
        let none = Links::Some { owner: false, from: bytes::Bytes::new() };
        all.note(Path::new("a"), (&Err(Errno::LOOP), &none), (&rule, &FILES), now);
        let mut find = |links| all.find(Path::new("a"), links, (rule.valid, now));
        assert!(find(&Links::All).is_none());
        assert!(matches!(find(&none), Some(Err(Errno::LOOP))));
    }
}
