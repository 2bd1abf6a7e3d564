//! `add_header Content-Type …`: the answer has two of them.

use super::{Check, Level, Rule, first_of, warn};
use crate::diagnostic::Diagnostics;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "content-type",
    title: "`add_header Content-Type`",
    danger: "The answer has two of them, and clients take either.",
    mend: "Use `default_type` or `types`.",
    example: "server { location /x { add_header Content-Type text/plain; return 200 x; } }",
    mended: "server { location /x { default_type text/plain; return 200 x; } }",
    check: Check::Level(check),
};

/// Looks for an added `Content-Type`.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    for added in level.all("add_header") {
        if first_of(added).eq_ignore_ascii_case("content-type") {
            let value = added.args.get(1).map(|word| word.text.as_str()).unwrap_or_default();
            let kind = value.split(';').next().unwrap_or_default().trim();
            let text = "an answer has a Content-Type already, and gets a second one";
            warn(diagnostics, added, text, format!("write: default_type {kind};"));
        }
    }
}
