//! Finding a location among many.

use std::collections::HashMap;

use bytes::Bytes;

use super::{Location, LocationName};
use crate::known::KnownMap;
use crate::value::pattern::{Compiled, Pattern, Patterns};

/// The locations of a server or of another location, in the order they are looked at.
#[derive(Clone, Debug, Default)]
pub struct Locations {
    all: Vec<Location>,
    exact: KnownMap<usize>,
    /// Prefixes in order, each with the longest other prefix that it begins with.
    prefixes: Vec<Prefix>,
    regexes: Patterns<usize>,
    /// Those that forward and have a name with a slash at its end, by that name without it.
    slashed: KnownMap<usize>,
    named: HashMap<Box<str>, usize>,
}

#[derive(Clone, Debug)]
struct Prefix {
    text: Box<[u8]>,
    location: usize,
    shorter: Option<usize>,
}

impl Locations {
    /// Puts locations in order.
    pub(crate) fn new(all: Vec<Location>, compiled: &mut Compiled) -> Self {
        let mut locations = Self { all, ..Self::default() };
        for (number, location) in locations.all.iter().enumerate() {
            let name = match &location.name {
                LocationName::Exact(name) | LocationName::Prefix { prefix: name, .. } => name,
                _ => &Bytes::new(),
            };
            if location.pass.to.is_some()
                && let Some(name) = name.strip_suffix(b"/")
            {
                // An exact one comes before one that is a prefix.
                let is_exact = matches!(location.name, LocationName::Exact(_));
                let known = locations.slashed.entry(name.into()).or_insert(number);
                if is_exact {
                    *known = number;
                }
            }
            match &location.name {
                LocationName::None => {}
                LocationName::Exact(uri) => {
                    locations.exact.insert(uri.as_ref().into(), number);
                }
                LocationName::Prefix { prefix, .. } => {
                    let text = prefix.as_ref().into();
                    locations.prefixes.push(Prefix { text, location: number, shorter: None });
                }
                LocationName::Regex(pattern) => locations.regexes.push(pattern.clone(), number),
                LocationName::Named(name) => {
                    locations.named.entry(name.as_str().into()).or_insert(number);
                }
            }
        }
        locations.regexes.complete(compiled);
        locations.prefixes.sort_by(|one, two| one.text.cmp(&two.text));
        locations.join();
        locations
    }

    fn join(&mut self) {
        let mut open: Vec<usize> = Vec::new();
        for number in 0..self.prefixes.len() {
            let Some(text) = self.prefixes.get(number).map(|prefix| prefix.text.clone()) else {
                break;
            };
            while let Some(last) = open.last() {
                let begins = |prefix: &Prefix| text.starts_with(&prefix.text);
                if self.prefixes.get(*last).is_some_and(begins) {
                    break;
                }
                open.pop();
            }
            if let Some(prefix) = self.prefixes.get_mut(number) {
                prefix.shorter = open.last().copied();
            }
            open.push(number);
        }
    }

    /// The location of exactly this URI.
    pub fn exact(&self, uri: &[u8]) -> Option<&Location> {
        self.exact.get(uri).and_then(|number| self.all.get(*number))
    }

    /// The location that forwards and is named as this URI with a slash behind it.
    pub fn slashed(&self, uri: &[u8]) -> Option<&Location> {
        if self.slashed.is_empty() || uri.ends_with(b"/") {
            return None;
        }
        self.slashed.get(uri).and_then(|number| self.all.get(*number))
    }

    /// The location with the longest prefix of this URI. Its cost grows with the logarithm of the
    /// number of locations.
    pub fn longest_prefix(&self, uri: &[u8]) -> Option<&Location> {
        let behind = self.prefixes.partition_point(|prefix| *prefix.text <= *uri);
        let mut candidate = behind.checked_sub(1);
        while let Some(prefix) = candidate.and_then(|number| self.prefixes.get(number)) {
            if uri.starts_with(&prefix.text) {
                return self.all.get(prefix.location);
            }
            candidate = prefix.shorter;
        }
        None
    }

    /// Whether there are any with regular expressions.
    pub fn has_regexes(&self) -> bool {
        !self.regexes.is_empty()
    }

    /// The first location whose regular expression matches this URI; asked are those that may. Its
    /// cost hardly grows with the number of locations.
    pub fn by_regex(&self, uri: &[u8], matches: impl FnMut(&Pattern) -> bool) -> Option<&Location> {
        self.regexes.first(uri, matches).and_then(|(_, number)| self.all.get(*number))
    }

    /// The location of this name, `@` included.
    pub fn named(&self, name: &str) -> Option<&Location> {
        self.named.get(name).and_then(|number| self.all.get(*number))
    }

    /// All of them, as written.
    pub fn all(&self) -> &[Location] {
        &self.all
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}
