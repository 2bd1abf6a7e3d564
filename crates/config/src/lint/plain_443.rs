//! `listen 443` without `ssl`: browsers speak TLS to it, and are not understood.

use super::{Check, Level, Rule, first_of, warn};
use crate::diagnostic::Diagnostics;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "plain-443",
    title: "Port 443 without `ssl`",
    danger: "Browsers speak TLS to it and are not understood.",
    mend: "Add `ssl` to `listen`.",
    example: "server { listen 443; }",
    mended: "server { listen 80; }",
    check: Check::Level(check),
};

/// Looks for port 443 without encryption.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    if level.name() != "server" || level.all("ssl").any(|ssl| first_of(ssl) == "on") {
        return;
    }
    for listen in level.all("listen") {
        let address = first_of(listen);
        let has = |word: &str| listen.args.iter().any(|argument| argument.text == word);
        if (address == "443" || address.ends_with(":443")) && !has("ssl") && !has("quic") {
            let text = "clients speak TLS on port 443, and this does not";
            warn(diagnostics, listen, text, format!("write: listen {address} ssl;"));
        }
    }
}
