//! `location /x { alias /y/; }`: a slash at one end only leads to files nobody meant.

use super::{Level, first_of, warn};
use crate::diagnostic::Diagnostics;

/// Looks at an alias next to its location's name.
pub(super) fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    let (Some(name), Some(alias)) = (level.prefix(), level.first("alias")) else { return };
    // To an internal location only our own redirects lead.
    if level.first("internal").is_some() {
        return;
    }
    let path = first_of(alias);
    match (name.ends_with('/'), path.ends_with('/')) {
        (false, true) => {
            let text = format!(
                "a request for \"{name}../file\" leads out of the alias: to \"{path}../file\""
            );
            let modifier = level.location().map(|(modifier, _)| modifier).unwrap_or_default();
            let space = if modifier.is_empty() { "" } else { " " };
            let hint = format!("end both with a slash: location {modifier}{space}{name}/ {{");
            warn(diagnostics, alias, text, hint);
        }
        (true, false) if !path.contains('$') => {
            let text = format!("\"{name}file\" is looked for at \"{path}file\"");
            warn(diagnostics, alias, text, format!("end both with a slash: alias {path}/;"));
        }
        _ => {}
    }
}
