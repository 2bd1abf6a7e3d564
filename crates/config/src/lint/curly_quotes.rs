//! Curly quotes, as web pages and word processors make them of straight ones.

use super::{Check, Level, Rule};
use crate::diagnostic::{Diagnostic, Diagnostics};

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "curly-quotes",
    title: "A word in curly quotes",
    danger: "They are letters like any other and become part of the value.",
    mend: "Write straight quotes.",
    example: "server { add_header X “on”; }",
    mended: "server { add_header X \"on\"; }",
    check: Check::Level(check),
};

/// Looks for words that begin with a curly quote.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    for statement in level.body {
        let mut curly = statement.args.iter().filter(|word| {
            !word.quoted && word.text.starts_with(['\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}'])
        });
        if let Some(word) = curly.next() {
            let text = "a curly quote is a letter like any other";
            let hint = "write straight quotes: \" or '";
            diagnostics.push(Diagnostic::warn(text).at(word.span).hint(hint));
        }
    }
}
