//! `server_name ~example\.com`: `example.com.evil.net` matches as well.

use super::{Check, Level, Rule, warn};
use crate::diagnostic::Diagnostics;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "unanchored-name",
    title: "A regular expression in `server_name` that is not anchored",
    danger: "Hosts that only contain it match as well: `example.com.evil.net`.",
    mend: "Begin it with `^` and end it with `$`.",
    example: "server { server_name ~example\\.com; }",
    mended: "server { server_name ~^example\\.com$; }",
    check: Check::Level(check),
};

/// Looks for expressions without `^` or `$`.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    for names in level.all("server_name") {
        for name in &names.args {
            let Some(pattern) = name.text.strip_prefix('~') else { continue };
            let (begins, ends) =
                (pattern.contains('^'), pattern.trim_end_matches(')').ends_with('$'));
            // What ends so is meant to.
            let open = [".*", ".+", "(.*)", ".+)"].iter().any(|end| pattern.ends_with(end));
            if begins && (ends || open) {
                continue;
            }
            let what = match (begins, ends || open) {
                (true, _) => "begin like",
                (_, true) => "end like",
                _ => "contain",
            };
            let text = format!("hosts that only {what} \"{pattern}\" match as well");
            let bare = pattern.trim_start_matches('^').trim_end_matches('$');
            warn(diagnostics, names, text, format!("write: ~^{bare}$"));
        }
    }
}
