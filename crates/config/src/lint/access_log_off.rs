//! `access_log x; access_log off;` at one level: `off` wins.

use super::{Check, Level, Rule, first_of, warn};
use crate::diagnostic::Diagnostics;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "access-log-off",
    title: "A log beside `access_log off`",
    danger: "Nothing is written to the log: `off` wins over all that stands beside it.",
    mend: "Remove one of the two.",
    example: "server { access_log logs/a.log; access_log off; }",
    mended: "server { access_log logs/a.log; }",
    check: Check::Level(check),
};

/// Looks for logs that `off` turns off at the same level.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    let logs = || level.all("access_log");
    if !logs().any(|log| first_of(log) == "off") {
        return;
    }
    for log in logs().filter(|log| first_of(log) != "off") {
        let text = "nothing is written to this log: `access_log off` stands beside it";
        warn(diagnostics, log, text, "remove one of the two");
    }
}
