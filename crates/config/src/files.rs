//! What a configuration is made of beside its words, files and addresses of names: read once,
//! remembered, and handed to a process that may not read them itself.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The largest file that is read, in bytes.
const MAX_LENGTH: u64 = 64 << 20;

/// What a file that is larger fails with.
const TOO_LARGE: i32 = 27;

/// All that was read for one configuration: what files said, why others could not be read, and
/// which paths a pattern had.
///
/// Whoever has root's rights loads the configuration, and gives what it [encodes](Self::encode) to
/// the process that serves without them; there the same paths give the same bytes.
#[derive(Debug, Default)]
pub struct Files {
    seen: Mutex<Seen>,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    /// The bytes, or the system's number of the error.
    files: BTreeMap<PathBuf, Result<Arc<[u8]>, i32>>,
    patterns: BTreeMap<String, Vec<PathBuf>>,
    hosts: BTreeMap<String, Vec<IpAddr>>,
    /// What is said of groups of servers instead of what the configuration does, by their names.
    groups: BTreeMap<String, String>,
}

impl Files {
    /// The bytes of a file, as they were when it was first asked for. An error is the system's
    /// own; a file of over 64 megabytes is "File too large".
    pub fn read(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        let known = self.seen().files.get(path).cloned();
        let read = known.unwrap_or_else(|| {
            let read = from_disk(path).map_err(|error| error.raw_os_error().unwrap_or(5));
            self.seen().files.insert(path.to_owned(), read.clone());
            read
        });
        read.map_err(io::Error::from_raw_os_error)
    }

    /// The paths that a pattern has, found by `find` when it is first asked for.
    pub fn matching(
        &self,
        pattern: &str,
        find: impl FnOnce(&str) -> Result<Vec<PathBuf>, String>,
    ) -> Result<Vec<PathBuf>, String> {
        if let Some(known) = self.seen().patterns.get(pattern) {
            return Ok(known.clone());
        }
        let found = find(pattern)?;
        self.seen().patterns.insert(pattern.to_owned(), found.clone());
        Ok(found)
    }

    /// The addresses of a name, looked up by `find` when it is first asked for; none where it has none.
    pub fn addresses(&self, host: &str, find: impl FnOnce(&str) -> Vec<IpAddr>) -> Vec<IpAddr> {
        if let Some(known) = self.seen().hosts.get(host) {
            return known.clone();
        }
        let found = find(host);
        self.seen().hosts.insert(host.to_owned(), found.clone());
        found
    }

    /// The servers of a group that were said while the server runs, as lines of `server`; `None` where
    /// it is as the configuration says.
    pub fn servers(&self, group: &str) -> Option<String> {
        self.seen().groups.get(&group.to_ascii_lowercase()).cloned()
    }

    /// The same with other servers of a group.
    #[must_use]
    pub fn with_servers(&self, group: &str, lines: String) -> Self {
        let mut seen = self.seen().clone();
        seen.groups.insert(group.to_ascii_lowercase(), lines);
        Self { seen: Mutex::new(seen) }
    }

    /// Whether servers of any group were said while the server runs.
    pub fn is_changed(&self) -> bool {
        !self.seen().groups.is_empty()
    }

    /// All of it as bytes, for [`Files::decode`].
    pub fn encode(&self) -> Vec<u8> {
        let seen = self.seen();
        let mut out = Vec::new();
        for (path, read) in &seen.files {
            let path = path.as_os_str().as_bytes();
            match read {
                Ok(bytes) => record(&mut out, b'f', &[path, bytes]),
                Err(number) => record(&mut out, b'e', &[path, &number.to_le_bytes()]),
            }
        }
        for (pattern, paths) in &seen.patterns {
            let mut fields = vec![pattern.as_bytes()];
            fields.extend(paths.iter().map(|path| path.as_os_str().as_bytes()));
            record(&mut out, b'p', &fields);
        }
        for (host, addresses) in &seen.hosts {
            let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
            let mut fields = vec![host.as_bytes()];
            fields.extend(addresses.iter().map(String::as_bytes));
            record(&mut out, b'h', &fields);
        }
        for (group, lines) in &seen.groups {
            record(&mut out, b'g', &[group.as_bytes(), lines.as_bytes()]);
        }
        out
    }

    /// The files of another process; `None` where the bytes are none of [`Files::encode`].
    pub fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut seen = Seen::default();
        let path = |field: &[u8]| PathBuf::from(OsString::from_vec(field.to_vec()));
        while let Some((&kind, rest)) = bytes.split_first() {
            let fields = fields(rest, &mut bytes)?;
            match (kind, fields.as_slice()) {
                (b'f', [name, text]) => {
                    seen.files.insert(path(name), Ok(Arc::from(*text)));
                }
                (b'e', [name, number]) => {
                    let number = i32::from_le_bytes((*number).try_into().ok()?);
                    seen.files.insert(path(name), Err(number));
                }
                (b'p', [pattern, paths @ ..]) => {
                    let pattern = std::str::from_utf8(pattern).ok()?.to_owned();
                    seen.patterns.insert(pattern, paths.iter().map(|field| path(field)).collect());
                }
                (b'h', [host, addresses @ ..]) => {
                    let text = |field: &[u8]| Some(std::str::from_utf8(field).ok()?.to_owned());
                    let parsed = addresses.iter().map(|field| text(field)?.parse().ok());
                    seen.hosts.insert(text(host)?, parsed.collect::<Option<_>>()?);
                }
                (b'g', [group, lines]) => {
                    let text = |field: &[u8]| Some(std::str::from_utf8(field).ok()?.to_owned());
                    seen.groups.insert(text(group)?, text(lines)?);
                }
                _ => return None,
            }
        }
        Some(Self { seen: Mutex::new(seen) })
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn from_disk(path: &Path) -> io::Result<Arc<[u8]>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_LENGTH + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_LENGTH {
        return Err(io::Error::from_raw_os_error(TOO_LARGE));
    }
    Ok(bytes.into())
}

/// A kind, a number of fields, and each field's length and bytes.
fn record(out: &mut Vec<u8>, kind: u8, fields: &[&[u8]]) {
    out.push(kind);
    out.extend((fields.len() as u64).to_le_bytes());
    for field in fields {
        out.extend((field.len() as u64).to_le_bytes());
        out.extend_from_slice(field);
    }
}

fn fields<'a>(mut from: &'a [u8], rest: &mut &'a [u8]) -> Option<Vec<&'a [u8]>> {
    let count = number(&mut from)?;
    let mut fields = Vec::new();
    for _ in 0..count {
        let length = number(&mut from)?;
        let (field, after) = from.split_at_checked(length)?;
        fields.push(field);
        from = after;
    }
    *rest = from;
    Some(fields)
}

fn number(from: &mut &[u8]) -> Option<usize> {
    let (number, after) = from.split_first_chunk::<8>()?;
    *from = after;
    usize::try_from(u64::from_le_bytes(*number)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_the_same_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let (there, missing) = (folder.path().join("there"), folder.path().join("missing"));
        std::fs::write(&there, "one").unwrap();
        let files = Files::default();
        assert_eq!(&*files.read(&there).unwrap(), b"one");
        assert_eq!(files.read(&missing).unwrap_err().kind(), io::ErrorKind::NotFound);
        let found = files.matching("*.conf", |_| Ok(vec![there.clone()])).unwrap();

        let address = IpAddr::from([127, 0, 0, 1]);
        assert_eq!(files.addresses("name", |_| vec![address]), [address]);

        let files = files.with_servers("App", "server a;".to_owned());
        std::fs::write(&there, "two").unwrap();
        std::fs::write(&missing, "here now").unwrap();
        let other = Files::decode(&files.encode()).unwrap();
        assert_eq!(&*other.read(&there).unwrap(), b"one");
        assert_eq!(other.read(&missing).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(other.matching("*.conf", |_| Err(String::new())).unwrap(), found);
        assert_eq!(other.addresses("name", |_| Vec::new()), [address]);
        assert_eq!(other.servers("app").as_deref(), Some("server a;"));
        assert!(other.is_changed() && other.servers("b").is_none());
    }

    #[test]
    fn bytes_that_are_no_files_are_refused() {
        let files = Files::default();
        files.seen().files.insert("a".into(), Ok(Arc::from(*b"text")));
        let bytes = files.encode();
        for length in 1..bytes.len() {
            assert!(Files::decode(&bytes[..length]).is_none(), "{length}");
        }
        assert!(Files::decode(b"xyz").is_none());
        assert!(Files::decode(&[b'f'; 40]).is_none());
    }
}
