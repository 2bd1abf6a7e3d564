//! `try_files $uri = 404`: two words, and the second is a file.

use super::{Check, Level, Rule, warn};
use crate::diagnostic::Diagnostics;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "try-files-status",
    title: "`try_files` with a status that is torn from its `=`",
    danger: "`=` is taken for a file and the number for a URI.",
    mend: "Write them as one word: `=404`.",
    example: "server { location / { try_files $uri = 404; } }",
    mended: "server { location / { try_files $uri =404; } }",
    check: Check::Level(check),
};

/// Looks for a status that is torn from its `=`.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    for tries in level.all("try_files") {
        let [.., equals, status] = tries.args.as_slice() else { continue };
        let is_status = status.text.len() == 3 && status.text.bytes().all(|b| b.is_ascii_digit());
        if equals.text == "=" && is_status {
            let text = format!("\"=\" is taken for a file, and \"{}\" for a URI", status.text);
            warn(diagnostics, tries, text, format!("write them as one word: ={}", status.text));
        }
    }
}
