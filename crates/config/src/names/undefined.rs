//! What is told of an upstream that no block defines.

use super::{GroupName, Names};
use crate::diagnostic::{Diagnostic, suggest};

impl Names {
    /// What is wrong with asking for a group that is not defined: it may be a host all the same.
    pub(super) fn undefined(&self, group: &GroupName) -> Option<Diagnostic> {
        let at = group.used?;
        let name = &group.name;
        let defined = || self.groups.iter().filter(|group| group.defined.is_some());
        let near = suggest(name, defined().map(|group| group.name.as_str()));
        let has_port = name.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let needs_port = group.port.is_none() && group.default_port.is_none();
        if needs_port && !has_port && !name.starts_with("unix:") {
            let only = defined().next().filter(|_| defined().count() == 1);
            let hint = match near.or(only.map(|group| group.name.as_str())) {
                Some(near) => format!("no upstream is called `{name}`; did you mean `{near}`?"),
                None => {
                    format!("no upstream is called `{name}`; a host needs its port: {name}:8000")
                }
            };
            let text = format!("no port in upstream \"{name}\"");
            return Some(Diagnostic::emerg(text).at(at).hint(hint));
        }
        let near = near.filter(|_| group.port.is_none())?;
        let text = format!("\"{name}\" is no upstream and is looked up as a host");
        Some(Diagnostic::warn(text).at(at).hint(format!("did you mean `{near}`?")))
    }
}
