//! `set_real_ip_from 0.0.0.0/0`: every client may say where it comes from.

use super::{Level, first_of, warn};
use crate::diagnostic::Diagnostics;

/// Looks for networks that hold every client.
pub(super) fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    for from in level.all("set_real_ip_from") {
        if matches!(first_of(from), "0.0.0.0/0" | "::/0" | "0/0") {
            let text = "every client is believed when it says what its address is";
            let hint = "name the proxies in front alone; allow, deny and logs go by this address";
            warn(diagnostics, from, text, hint);
        }
    }
}
