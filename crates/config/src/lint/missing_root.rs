//! `root` inside `location /` only: the other locations look for files elsewhere.

use super::level::location_of;
use super::{Check, Level, Rule, first_of, warn};
use crate::diagnostic::Diagnostics;
use crate::syntax::Statement;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "missing-root",
    title: "`root` inside `location /` only",
    danger: "Other locations do not inherit it: they look for files in `html` under the prefix, and answer 404.",
    mend: "Put `root` on the server, beside its locations.",
    example: "server { location / { root /srv/www; } location /images/ { expires 1d; } }",
    mended: "server { root /srv/www; location / { index index.html; } location /images/ { expires 1d; } }",
    check: Check::Level(check),
};

/// What makes a location need no root.
const OTHERWISE: [&str; 14] = [
    "root",
    "alias",
    "return",
    "rewrite",
    "stub_status",
    "empty_gif",
    "deny",
    "internal",
    "error_page",
    "try_files",
    "include",
    "api",
    "echo",
    "auth_request",
];

/// Looks for locations that serve files and have no root, beside `location /` with one.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    if level.name() != "server" || level.outwards().any(|level| level.first("root").is_some()) {
        return;
    }
    let roots = |statement: &&Statement| statement.name.text == "root";
    let main = level.all("location").find(|inner| location_of(inner) == Some(("", "/")));
    let Some(root) = main.and_then(|main| main.body().iter().find(roots)) else { return };
    for location in level.all("location") {
        let Some((_, name)) = location_of(location).filter(|(_, name)| !name.starts_with('@'))
        else {
            continue;
        };
        let otherwise = |statement: &Statement| {
            let name = statement.name.text.as_str();
            OTHERWISE.contains(&name)
                || name.ends_with("_pass")
                || name == "if"
                || name == "location"
        };
        if location.body().iter().any(otherwise) {
            continue;
        }
        let text = format!("\"{name}\" has no root: that of \"location /\" does not hold here");
        let hint = format!("move it out, into the server: root {};", first_of(root));
        warn(diagnostics, location, text, hint);
    }
}
