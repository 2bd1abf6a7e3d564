//! `location /x { alias /y/; }`: a slash at one end only leads to files nobody meant.

use super::{Check, Level, Rule, first_of, warn};
use crate::diagnostic::Diagnostics;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "alias-slash",
    title: "An `alias` with a slash its location does not have, or the reverse",
    danger: "`location /static` with `alias /srv/static/` answers `/static../secret` with `/srv/static/../secret`: what lies beside the folder is served to anyone.",
    mend: "End both with a slash.",
    example: "server { location /static { alias /srv/static/; } }",
    mended: "server { location /static/ { alias /srv/static/; } }",
    check: Check::Level(check),
};

/// Looks at an alias next to its location's name.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    let (Some(name), Some(alias)) = (level.prefix_name(), level.first("alias")) else { return };
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
