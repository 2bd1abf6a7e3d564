//! `add_header Content-Type …`: the answer has two of them.

use super::{Level, first_of, warn};
use crate::diagnostic::Diagnostics;

/// Looks for an added `Content-Type`.
pub(super) fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    for added in level.all("add_header") {
        if first_of(added).eq_ignore_ascii_case("content-type") {
            let value = added.args.get(1).map(|word| word.text.as_str()).unwrap_or_default();
            let kind = value.split(';').next().unwrap_or_default().trim();
            let text = "an answer has a Content-Type already, and gets a second one";
            warn(diagnostics, added, text, format!("write: default_type {kind};"));
        }
    }
}
