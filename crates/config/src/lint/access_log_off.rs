//! `access_log x; access_log off;` at one level: `off` wins.

use super::{Level, first_of, warn};
use crate::diagnostic::Diagnostics;

/// Looks for logs that `off` turns off at the same level.
pub(super) fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    let logs = || level.all("access_log");
    if !logs().any(|log| first_of(log) == "off") {
        return;
    }
    for log in logs().filter(|log| first_of(log) != "off") {
        let text = "nothing is written to this log: `access_log off` stands beside it";
        warn(diagnostics, log, text, "remove one of the two");
    }
}
