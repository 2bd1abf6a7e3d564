//! `if` in a location that does more than leave it: what stands beside it may not hold within it.

use super::{Level, warn};
use crate::diagnostic::Diagnostics;
use crate::syntax::{End, Statement};

/// What works in an `if` as everybody expects.
const SAFE: [&str; 5] = ["return", "rewrite", "set", "break", "rewrite_log"];

/// Looks for `try_files` beside an `if` that is a level of its own.
pub(super) fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    if level.name() != "location" || level.first("try_files").is_none() {
        return;
    }
    for condition in level.all("if") {
        let End::Block { body, .. } = &condition.end else { continue };
        let leaves = |s: &Statement| s.name.text == "return";
        let unsafe_one = body.iter().find(|s| !SAFE.contains(&s.name.text.as_str()));
        let Some(inner) = unsafe_one.filter(|_| !body.iter().any(leaves)) else { continue };
        let text = format!(
            "where this holds, the block is a level of its own for \"{}\", and no file is tried",
            inner.name.text
        );
        warn(diagnostics, condition, text, "use `map` and a variable, or a location of its own");
    }
}
