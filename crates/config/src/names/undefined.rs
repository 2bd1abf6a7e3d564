//! What is told of an upstream that no block defines.

use super::GroupName;
use crate::diagnostic::{Diagnostic, suggest};

/// What is wrong with asking for a group that is not defined: it may be a host all the same.
pub(super) fn told(group: &GroupName, defined: &[&str]) -> Option<Diagnostic> {
    let at = group.used?;
    let name = &group.name;
    let near = suggest(name, defined.iter().copied());
    let has_port = name.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let needs_port = group.port.is_none() && group.default_port.is_none();
    if needs_port && !has_port && !name.starts_with("unix:") {
        let only = defined.first().copied().filter(|_| defined.len() == 1);
        let hint = match near.or(only) {
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

/// A group that is defined is asked for with a port.
pub(super) fn with_port(group: &GroupName, port: u16) -> Diagnostic {
    let name = &group.name;
    let told = Diagnostic::emerg(format!("upstream \"{name}\" may not have port {port}"));
    let told = group.used.into_iter().fold(told, Diagnostic::at);
    told.hint(format!("its servers have the ports: write `{name}` alone"))
}
