//! `valid_referers none`: who sends no `Referer` is let in.

use super::{Check, Level, Rule, advise};
use crate::diagnostic::Diagnostics;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "referers-none",
    title: "`valid_referers` with `none`",
    danger: "Any page can leave the `Referer` away (`Referrer-Policy: no-referrer`), so that the check keeps out nobody who does not want to be.",
    mend: "Leave `none` away, or use `secure_link` where it has to hold.",
    example: "server { location / { valid_referers none server_names; if ($invalid_referer) { return 403; } } }",
    mended: "server { location / { valid_referers server_names; if ($invalid_referer) { return 403; } } }",
    check: Check::Level(check),
};

/// Looks for referers that may be missing.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    for referers in level.all("valid_referers") {
        if referers.args.iter().any(|word| word.text == "none") {
            let text = "who sends no Referer is let in, and any page can leave it away";
            advise(diagnostics, referers, text, "leave `none` away, or use `secure_link`");
        }
    }
}
