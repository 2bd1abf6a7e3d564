//! Groups of upstreams by name.

use std::collections::HashMap;

use super::{COMPARED, Names, undefined};
use crate::diagnostic::Diagnostics;
use crate::directive::Fault;
use crate::source::Span;
use crate::syntax::Word;

/// The number of an upstream group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Group(pub usize);

/// An upstream group: one that is defined, or a host that is asked for directly.
#[derive(Clone, Debug)]
pub(crate) struct GroupName {
    pub(crate) name: String,
    pub(crate) port: Option<u16>,
    pub(crate) default_port: Option<u16>,
    pub(crate) used: Option<Span>,
    pub(crate) defined: Option<Span>,
}

/// All groups.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    all: Vec<GroupName>,
    /// Those of a name in lower case, which may have several ports.
    by_name: HashMap<String, Vec<usize>>,
}

impl Names {
    /// A group that is asked for: `upstream`'s name, or a host with its port.
    pub fn group(
        &mut self,
        host: &str,
        port: Option<u16>,
        default: Option<u16>,
        at: Span,
    ) -> Group {
        let Groups { all, by_name } = &mut self.groups;
        let known = by_name.entry(host.to_ascii_lowercase()).or_default();
        for place in known.iter().copied() {
            let Some(group) = all.get_mut(place) else {
                continue;
            };
            if group.defined.is_some() && port.is_none()
                || group.port == port && group.default_port == default
            {
                group.used.get_or_insert(at);
                return Group(place);
            }
        }
        known.push(all.len());
        all.push(GroupName {
            name: host.to_owned(),
            port,
            default_port: default,
            used: Some(at),
            defined: None,
        });
        Group(all.len() - 1)
    }

    /// Defines a group; those already asked for by its name are it.
    pub(crate) fn define_group(&mut self, word: &Word) -> Result<(), Fault> {
        let Groups { all, by_name } = &mut self.groups;
        let known = by_name.entry(word.text.to_ascii_lowercase()).or_default();
        let mut found = false;
        for place in known.iter().copied() {
            let named = all.get_mut(place).filter(|group| group.port.is_none());
            let Some(group) = named else { continue };
            if group.defined.is_some_and(|defined| defined != word.span) {
                let text = format!("duplicate upstream \"{}\"", word.text);
                return Err(Fault::sentence(text).at(word.span));
            }
            group.defined = Some(word.span);
            found = true;
        }
        if !found {
            known.push(all.len());
            all.push(GroupName {
                name: word.text.clone(),
                port: None,
                default_port: None,
                used: None,
                defined: Some(word.span),
            });
        }
        Ok(())
    }

    pub(crate) fn groups(&self) -> &[GroupName] {
        &self.groups.all
    }
}

impl Groups {
    /// Says what is asked for and not defined, where that is a fault.
    pub(super) fn finish(&self, diagnostics: &mut Diagnostics) {
        let defined = self.all.iter().filter(|group| group.defined.is_some());
        let defined: Vec<&str> = defined.map(|group| group.name.as_str()).collect();
        let asked = self.all.iter().filter(|group| group.defined.is_none());
        for (number, group) in asked.enumerate() {
            let compared = if number < COMPARED { defined.as_slice() } else { &[] };
            let twins = self.by_name.get(&group.name.to_ascii_lowercase());
            let mut twins = twins.into_iter().flatten().filter_map(|place| self.all.get(*place));
            diagnostics.extend(match (group.port, twins.any(|twin| twin.defined.is_some())) {
                (Some(port), true) => Some(undefined::with_port(group, port)),
                _ => undefined::told(group, compared),
            });
        }
    }
}
