//! Finding a server by the host that is asked for.

use super::Server;
use crate::http::server_name::{Name, NameKind};
use crate::known::KnownMap;
use crate::source::Span;
use crate::value::pattern::{Compiled, Pattern, Patterns};

/// The names of the servers that share an address.
#[derive(Clone, Debug, Default)]
pub struct NameTable {
    exact: KnownMap<usize>,
    /// `.example.com` of `*.example.com`.
    heads: KnownMap<usize>,
    /// `www.example.` of `www.example.*`.
    tails: KnownMap<usize>,
    regexes: Patterns<usize>,
}

/// A server that was found.
#[derive(Clone, Copy, Debug)]
pub struct FoundName<'a> {
    /// Its number.
    pub server: usize,
    /// The expression that matched; its groups are variables.
    pub pattern: Option<&'a Pattern>,
}

impl NameTable {
    /// Adds a server's names; those that another one has already come back, with their places.
    pub(crate) fn add<'a>(&mut self, number: usize, server: &'a Server) -> Vec<(&'a str, Span)> {
        let mut conflicts = Vec::new();
        let names: Vec<&Name> =
            server.settings.server_name.names.iter().flat_map(|names| &names.0).collect();
        if names.is_empty() && insert(&mut self.exact, "", number) {
            conflicts.push(("", server.span));
        }
        for name in names {
            let taken = match &name.kind {
                NameKind::Exact(host) => insert(&mut self.exact, host, number),
                NameKind::Head(suffix) => insert(&mut self.heads, suffix, number),
                NameKind::HeadAndExact(suffix) => {
                    let host = suffix.get(1..).unwrap_or_default();
                    let exact = insert(&mut self.exact, host, number);
                    insert(&mut self.heads, suffix, number) || exact
                }
                NameKind::Tail(prefix) => insert(&mut self.tails, prefix, number),
                NameKind::Regex(pattern) => {
                    self.regexes.push(pattern.clone(), number);
                    false
                }
                NameKind::Nothing => false,
            };
            if taken {
                conflicts.push((name.text.as_str(), name.span));
            }
        }
        conflicts
    }

    /// Prepares for being asked, when all names are there.
    pub(crate) fn complete(&mut self, compiled: &mut Compiled) {
        self.regexes.complete(compiled);
    }

    /// The server for a host in lower case: an exact name, the longest `*.x`, the longest `x.*`, the
    /// first expression (nginx: `ngx_http_find_virtual_server`). The subject's expression may name
    /// variables, for which the caller matches it again.
    pub fn find(&self, host: &[u8]) -> Option<FoundName<'_>> {
        let plain = |server: &usize| FoundName { server: *server, pattern: None };
        if let Some(server) = self.exact.get(host) {
            return Some(plain(server));
        }
        if let Some(server) = self.wildcard(host) {
            return Some(plain(server));
        }
        let matches = |pattern: &Pattern| pattern.regex.is_match(host).unwrap_or(false);
        let (pattern, server) = self.regexes.first(host, matches)?;
        Some(FoundName { server: *server, pattern: Some(pattern) })
    }

    fn wildcard(&self, host: &[u8]) -> Option<&usize> {
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
        let mut longest = dots().rev().filter(|at| at + 1 < host.len());
        longest.find_map(|at| self.tails.get(host.get(..=at)?))
    }
}

/// Whether the name was another server's already.
fn insert(table: &mut KnownMap<usize>, name: &str, number: usize) -> bool {
    *table.entry(name.as_bytes().into()).or_insert(number) != number
}
