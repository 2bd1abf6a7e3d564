//! `if` in a location that does more than leave it: what stands beside it may not hold within it.

use super::{Check, Level, Rule, advise, warn};
use crate::diagnostic::Diagnostics;
use crate::syntax::{End, Statement};

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "if-trap",
    title: "An `if` in a location with anything but `return` and `rewrite`",
    danger: "The block is a level of its own: where two conditions hold only the last one's settings do, and what stands beside it may be lost.",
    mend: "Use `map` and a variable, or a location of its own.",
    example: "server { location / { try_files $uri /x; if ($arg_a) { expires 1h; } } }",
    mended: "server { location / { try_files $uri /x; if ($arg_a) { return 403; } } }",
    check: Check::Level(check),
};

/// What works in an `if` as everybody expects.
const SAFE: [&str; 5] = ["return", "rewrite", "set", "break", "rewrite_log"];

/// Looks into each `if` of a location for what makes it a level of its own.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    if level.name() != "location" {
        return;
    }
    for condition in level.all("if") {
        let End::Block { body, .. } = &condition.end else { continue };
        let leaves = |s: &Statement| s.name.text == "return";
        let unsafe_one = body.iter().find(|s| !SAFE.contains(&s.name.text.as_str()));
        let Some(inner) = unsafe_one.filter(|_| !body.iter().any(leaves)) else { continue };
        let name = &inner.name.text;
        let hint = "use `map` and a variable, or a location of its own";
        if level.first("try_files").is_some() {
            let text = format!(
                "where this holds, the block is a level of its own for \"{name}\", and no file is tried"
            );
            warn(diagnostics, condition, text, hint);
        } else {
            let text = format!(
                "\"{name}\" makes this a level of its own: where several conditions hold, the last one's alone does"
            );
            advise(diagnostics, condition, text, hint);
        }
    }
}
