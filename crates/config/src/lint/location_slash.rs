//! `location favicon.ico`: a URI begins with a slash, so that this one is never asked for.

use super::{Check, Level, Rule, warn};
use crate::diagnostic::Diagnostics;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "location-slash",
    title: "A location whose name no URI begins with",
    danger: "No request ever comes there.",
    mend: "Begin the name with a slash, or with `~` if it is a regular expression.",
    example: "server { location favicon.ico { return 204; } }",
    mended: "server { location /favicon.ico { return 204; } }",
    check: Check::Level(check),
};

/// Looks for the name of a location that no URI begins with.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    let Some((modifier, name)) = level.location() else { return };
    let literal = ["", "=", "^~"].contains(&modifier);
    if !literal || name.starts_with(['/', '@']) || name.is_empty() {
        return;
    }
    let Some(opener) = level.opener else { return };
    let text = format!("no request comes here: a URI begins with a slash, \"{name}\" does not");
    let hint = if name.starts_with(['\\', '*', '.']) {
        format!("a regular expression has a `~` before it: location ~ {name}")
    } else {
        format!("write: location {modifier} /{name}").replace("  ", " ")
    };
    warn(diagnostics, opener, text, hint);
}
