//! Pools of threads by name.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Diagnostic, Diagnostics, suggest};
use crate::directive::Fault;
use crate::source::Span;

/// The pools that are defined, and those that are asked for.
#[derive(Debug, Default)]
pub(crate) struct Pools {
    defined: HashSet<String>,
    used: HashMap<String, Span>,
}

impl Pools {
    /// Defines a pool (`thread_pool`).
    pub(crate) fn define(&mut self, name: &str) -> Result<(), Fault> {
        if self.defined.insert(name.to_owned()) {
            return Ok(());
        }
        Err(Fault::sentence(format!("duplicate thread pool \"{name}\"")))
    }

    /// Takes note of a pool that is asked for (`aio threads=`).
    pub(crate) fn use_one(&mut self, name: &str, at: Span) {
        self.used.entry(name.to_owned()).or_insert(at);
    }

    /// Says which are used and not defined; `default` always is.
    pub(super) fn finish(&self, diagnostics: &mut Diagnostics) {
        let unknown = |name: &str| name != "default" && !self.defined.contains(name);
        let mut unknown: Vec<_> = self.used.iter().filter(|(name, _)| unknown(name)).collect();
        unknown.sort_unstable_by_key(|(name, _)| *name);
        for (name, at) in unknown {
            let text = format!("unknown thread pool \"{name}\"");
            let near = suggest(name, self.defined.iter().map(String::as_str));
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("thread_pool {name} threads=32; outside all blocks defines it"),
            };
            diagnostics.push(Diagnostic::emerg(text).at(*at).hint(hint));
        }
    }
}
