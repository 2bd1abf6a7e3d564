//! What another directive of the same location keeps from ever being reached.

use super::{Check, Level, Rule, warn};
use crate::diagnostic::Diagnostics;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "unreached",
    title: "What another directive of the same location keeps from being reached",
    danger: "It never acts: a `return` beside it answers first, or all is forwarded.",
    mend: "Remove one of the two.",
    example: "server { location / { return 204; proxy_pass http://127.0.0.1:1; } }",
    mended: "server { location / { proxy_pass http://127.0.0.1:1; } }",
    check: Check::Level(check),
};

/// Looks for content beside `return`, and for files beside what forwards.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    if level.name() != "location" {
        return;
    }
    let pass = level.pass();
    if level.first("return").is_some() {
        for unreached in pass.into_iter().chain(level.first("try_files")) {
            let name = &unreached.name.text;
            let text = format!("\"{name}\" is never reached: \"return\" beside it always answers");
            warn(diagnostics, unreached, text, "remove one of the two, or put `return` in an `if`");
        }
        return;
    }
    if level.first("try_files").is_some() {
        return;
    }
    let Some(pass) = pass else { return };
    for name in ["alias", "autoindex", "index"] {
        if let Some(idle) = level.first(name) {
            let text = format!("\"{name}\" does nothing beside \"{}\"", pass.name.text);
            warn(diagnostics, idle, text, "remove it; what is forwarded is not looked for on disk");
        }
    }
}
