//! Certificates that variables name: read when they are needed, and kept (nginx: `ngx_ssl_cache`).

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustls::sign::CertifiedKey;
use tidegate_config::http::ssl::certificate_cache::CertificateCache;
use tidegate_config::value::pem::{Pem, PemSource};

use super::fault::Fault;
use super::{certificate, key};
use crate::exchange::Exchange;

/// What is kept where nothing is said: files are looked at every time.
const UNSAID: CertificateCache =
    CertificateCache { max: 1000, inactive: Duration::MAX, valid: Duration::ZERO };

/// What has been made of certificates and their keys, by where they are.
#[derive(Debug)]
pub struct Named<T> {
    passwords: Vec<Vec<u8>>,
    cache: CertificateCache,
    kept: Mutex<Kept<T>>,
}

/// What variables have come to: text, or a path.
#[derive(Debug)]
pub enum Source {
    /// PEM text.
    Text(String),
    /// A file of it.
    File(PathBuf),
}

/// Where a certificate and its key are.
type Names = (String, String);

/// By which it is seen that a file is another one: times, length and number.
type Stamp = Option<(i64, i64, u64, u64)>;

#[derive(Debug)]
struct Kept<T> {
    all: HashMap<Names, Entry<T>>,
    /// By the turn of their last use.
    turns: BTreeMap<u64, Names>,
    turn: u64,
}

#[derive(Debug)]
struct Entry<T> {
    made: T,
    stamps: (Stamp, Stamp),
    looked: Instant,
    used: Instant,
    turn: u64,
}

impl Source {
    /// What is said, for this request.
    pub fn of(ex: &mut Exchange<'_>, pem: &Pem) -> Self {
        match &pem.from {
            PemSource::File(path) => Self::File(path.clone()),
            PemSource::Data(text) => Self::Text(text.clone()),
            PemSource::Variable(template, folder) => {
                let text = String::from_utf8_lossy(&ex.render(template)).into_owned();
                match text.strip_prefix("data:") {
                    Some(data) => Self::Text(data.to_owned()),
                    None if text.is_empty() => Self::Text(text),
                    None => Self::File(folder.join(text)),
                }
            }
        }
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }

    fn bytes(&self) -> Result<Vec<u8>, Fault> {
        match self {
            Self::Text(text) => Ok(text.clone().into_bytes()),
            Self::File(path) => Ok(std::fs::read(path)?),
        }
    }

    fn stamp(&self) -> Stamp {
        let Self::File(path) = self else { return None };
        let meta = std::fs::metadata(path).ok()?;
        Some((meta.mtime(), meta.mtime_nsec(), meta.len(), meta.ino()))
    }

    fn name(&self) -> String {
        match self {
            Self::Text(text) => format!("data:{text}"),
            Self::File(path) => path.display().to_string(),
        }
    }
}

impl<T: Clone> Named<T> {
    /// Nothing is kept yet; `passwords` are tried where a key is encrypted.
    pub fn new(passwords: Vec<Vec<u8>>, cache: Option<CertificateCache>) -> Self {
        let kept = Kept { all: HashMap::new(), turns: BTreeMap::new(), turn: 0 };
        Self { passwords, cache: cache.unwrap_or(UNSAID), kept: Mutex::new(kept) }
    }

    /// What was made of a certificate and its key, or is made now; what is wrong, in nginx's words.
    pub fn get(
        &self,
        (certificate, key): (&Source, &Source),
        make_of: impl FnOnce(CertifiedKey, &str) -> T,
    ) -> Result<T, String> {
        let names = (certificate.name(), key.name());
        let now = Instant::now();
        if let Some(made) = self.lock().fresh(&names, now, &self.cache) {
            return Ok(made);
        }
        let stamps = (certificate.stamp(), key.stamp());
        if let Some(made) = self.lock().unchanged(&names, now, stamps) {
            return Ok(made);
        }
        let certified = self.read((certificate, key), &names).inspect_err(|_| {
            self.lock().remove(&names);
        })?;
        let made = make_of(certified, &shortened(&names.0));
        self.lock().insert(names, (made.clone(), stamps), now, &self.cache);
        Ok(made)
    }

    fn read(
        &self,
        (certificate, key): (&Source, &Source),
        names: &Names,
    ) -> Result<CertifiedKey, String> {
        let told = |what: &str, name: &str, fault: &Fault| {
            let (name, mend) = (shortened(name), fault.mend());
            format!("cannot load {what} \"{name}\": {fault} ({mend})")
        };
        let chain = certificate.bytes().and_then(|text| certificate::chain(&text));
        let chain = chain.map_err(|fault| told("certificate", &names.0, &fault))?;
        let signer = key.bytes().and_then(|text| key::read(&text, &self.passwords));
        let signer = signer.map_err(|fault| told("certificate key", &names.1, &fault))?;
        certificate::certified(chain, signer)
            .map_err(|fault| told("certificate key", &names.1, &fault))
    }

    fn lock(&self) -> MutexGuard<'_, Kept<T>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As it may be told: text of a configuration is long, and may be a key.
fn shortened(name: &str) -> String {
    name.chars().take(if name.starts_with("data:") { 32 } else { 200 }).collect()
}

impl<T: Clone> Kept<T> {
    /// What need not be looked at yet.
    fn fresh(&mut self, names: &Names, now: Instant, cache: &CertificateCache) -> Option<T> {
        let entry = self.all.get(names)?;
        if now.duration_since(entry.used) > cache.inactive {
            self.remove(names);
            return None;
        }
        if now.duration_since(entry.looked) >= cache.valid {
            return None;
        }
        self.touch(names, now)
    }

    /// What is as it was.
    fn unchanged(&mut self, names: &Names, now: Instant, stamps: (Stamp, Stamp)) -> Option<T> {
        let entry = self.all.get_mut(names).filter(|entry| entry.stamps == stamps)?;
        entry.looked = now;
        self.touch(names, now)
    }

    fn touch(&mut self, names: &Names, now: Instant) -> Option<T> {
        self.turn += 1;
        let entry = self.all.get_mut(names)?;
        if let Some(names) = self.turns.remove(&entry.turn) {
            self.turns.insert(self.turn, names);
        }
        (entry.turn, entry.used) = (self.turn, now);
        Some(entry.made.clone())
    }

    fn insert(
        &mut self,
        names: Names,
        (made, stamps): (T, (Stamp, Stamp)),
        now: Instant,
        cache: &CertificateCache,
    ) {
        self.remove(&names);
        while let Some((_, oldest)) = self.turns.first_key_value() {
            let is_idle = |entry: &Entry<T>| now.duration_since(entry.used) > cache.inactive;
            if self.all.len() < cache.max && !self.all.get(oldest).is_some_and(is_idle) {
                break;
            }
            let oldest = oldest.clone();
            self.remove(&oldest);
        }
        self.turn += 1;
        let entry = Entry { made, stamps, looked: now, used: now, turn: self.turn };
        self.turns.insert(self.turn, names.clone());
        self.all.insert(names, entry);
    }

    fn remove(&mut self, names: &Names) {
        if let Some(entry) = self.all.remove(names) {
            self.turns.remove(&entry.turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CACHE: CertificateCache = CertificateCache {
        max: 2,
        inactive: Duration::from_secs(10),
        valid: Duration::from_mins(1),
    };

    fn names(name: &str) -> Names {
        (name.to_owned(), "key".to_owned())
    }

    fn kept() -> Kept<&'static str> {
        Kept { all: HashMap::new(), turns: BTreeMap::new(), turn: 0 }
    }

    #[test]
    fn what_is_used_is_looked_at_again_when_it_is_time() {
        let (mut kept, start) = (kept(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let stamps = (Some((1, 0, 0, 0)), None);
        kept.insert(names("a"), ("a", stamps), start, &CACHE);
        for seconds in (0..60).step_by(10) {
            assert_eq!(kept.fresh(&names("a"), at(seconds), &CACHE), Some("a"), "{seconds}");
        }
        assert_eq!(kept.fresh(&names("a"), at(60), &CACHE), None);
        assert_eq!(kept.unchanged(&names("a"), at(60), (Some((2, 0, 0, 0)), None)), None);
        assert_eq!(kept.unchanged(&names("a"), at(60), stamps), Some("a"));
        assert_eq!(kept.fresh(&names("a"), at(61), &CACHE), Some("a"));
    }

    #[test]
    fn what_is_not_used_goes() {
        let (mut kept, start) = (kept(), Instant::now());
        kept.insert(names("a"), ("a", (None, None)), start, &CACHE);
        let later = start + Duration::from_secs(11);
        assert_eq!(kept.fresh(&names("a"), later, &CACHE), None);
        assert!(kept.all.is_empty() && kept.turns.is_empty());
        kept.insert(names("a"), ("a", (None, None)), start, &CACHE);
        kept.insert(names("b"), ("b", (None, None)), later, &CACHE);
        assert_eq!(kept.all.len(), 1);
    }

    #[test]
    fn of_more_than_may_be_the_one_goes_that_was_not_used_for_longest() {
        let (mut kept, now) = (kept(), Instant::now());
        kept.insert(names("a"), ("a", (None, None)), now, &CACHE);
        kept.insert(names("b"), ("b", (None, None)), now, &CACHE);
        assert_eq!(kept.fresh(&names("a"), now, &CACHE), Some("a"));
        kept.insert(names("c"), ("c", (None, None)), now, &CACHE);
        assert_eq!(kept.fresh(&names("b"), now, &CACHE), None);
        assert_eq!(kept.fresh(&names("a"), now, &CACHE), Some("a"));
        assert_eq!(kept.fresh(&names("c"), now, &CACHE), Some("c"));
        assert_eq!((kept.all.len(), kept.turns.len()), (2, 2));
    }
}
