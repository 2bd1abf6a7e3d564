//! Values by host: exact names, and names with a `*` at one end (nginx: `ngx_hash_combined_t`).

use std::collections::HashMap;

/// Values by host.
#[derive(Clone, Debug)]
pub struct Hosts<T> {
    exact: HashMap<Box<[u8]>, T>,
    /// `*.example.com` by `.example.com`.
    heads: HashMap<Box<[u8]>, T>,
    /// `www.example.*` by `www.example.`.
    tails: HashMap<Box<[u8]>, T>,
}

impl<T> Default for Hosts<T> {
    fn default() -> Self {
        Self { exact: HashMap::new(), heads: HashMap::new(), tails: HashMap::new() }
    }
}

/// Why a name cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostFault {
    /// It has a value already.
    Conflict,
    /// A `*` stands where none may.
    Invalid,
}

impl<T: Clone> Hosts<T> {
    /// Adds an exact name as it is.
    pub fn insert_exact(&mut self, name: &str, value: T) -> Result<(), HostFault> {
        let before = self.exact.insert(name.to_ascii_lowercase().as_bytes().into(), value);
        if before.is_some() { Err(HostFault::Conflict) } else { Ok(()) }
    }

    /// Adds a name: exact, `*.example.com`, `.example.com` (which is both), `www.example.*`.
    pub fn insert(&mut self, name: &str, value: T) -> Result<(), HostFault> {
        let name = name.to_ascii_lowercase();
        let (table, key) = if let Some(rest) = name.strip_prefix("*.") {
            (&mut self.heads, format!(".{rest}"))
        } else if let Some(rest) = name.strip_prefix('.') {
            if self.exact.insert(rest.as_bytes().into(), value.clone()).is_some() {
                return Err(HostFault::Conflict);
            }
            (&mut self.heads, name.clone())
        } else if let Some(rest) = name.strip_suffix(".*") {
            (&mut self.tails, format!("{rest}."))
        } else {
            (&mut self.exact, name.clone())
        };
        if key.contains('*') || key.contains("..") || key == "." {
            return Err(HostFault::Invalid);
        }
        let before = table.insert(key.as_bytes().into(), value);
        if before.is_some() { Err(HostFault::Conflict) } else { Ok(()) }
    }

    /// The value of a host, in lower case: of its exact name, else of the longest `*.x` that fits,
    /// else of the longest `x.*`.
    pub fn get(&self, host: &[u8]) -> Option<&T> {
        if let Some(found) = self.exact.get(host) {
            return Some(found);
        }
        let dots = || host.iter().enumerate().filter(|(_, byte)| **byte == b'.').map(|(at, _)| at);
        if !self.heads.is_empty() {
            let head = dots().filter(|at| *at > 0).find_map(|at| self.heads.get(host.get(at..)?));
            if head.is_some() {
                return head;
            }
        }
        if self.tails.is_empty() {
            return None;
        }
        dots().filter_map(|at| self.tails.get(host.get(..=at)?)).next_back()
    }

    /// Whether no name has a value.
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.heads.is_empty() && self.tails.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_exact_name_decides() {
        let mut hosts = Hosts::default();
        for name in ["a.org", "*.a.org", ".b.org", "www.*", "www.c.*"] {
            hosts.insert(name, name).unwrap();
        }
        for (host, name) in [
            ("a.org", Some("a.org")),
            ("x.y.a.org", Some("*.a.org")),
            ("b.org", Some(".b.org")),
            ("x.b.org", Some(".b.org")),
            ("www.x", Some("www.*")),
            ("www.c.x", Some("www.c.*")),
            ("c.org", None),
            ("", None),
        ] {
            assert_eq!(hosts.get(host.as_bytes()).copied(), name, "{host}");
        }
        assert_eq!(hosts.insert("A.org", "x"), Err(HostFault::Conflict));
        for name in ["*", "a.*.b", "*a.org", ".", "a..*"] {
            assert_eq!(hosts.insert(name, "x"), Err(HostFault::Invalid), "{name}");
        }
    }
}
