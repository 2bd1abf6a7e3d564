//! `location /static { root /srv/static; }`: files are looked for in `/srv/static/static`.

use super::{Check, Level, Rule, first_of, warn};
use crate::diagnostic::Diagnostics;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "doubled-root",
    title: "A `root` that ends with its location's name",
    danger: "The name comes twice: files are looked for in `/srv/static/static`.",
    mend: "Leave the name away at the end of `root`, or use `alias`.",
    example: "server { location /static/ { root /srv/static; } }",
    mended: "server { location /static/ { root /srv; } }",
    check: Check::Level(check),
};

/// Looks for a root that ends with its location's name.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    let (Some(name), Some(root)) = (level.prefix_name(), level.first("root")) else { return };
    // What a rewrite or a try makes of the URI is not known here.
    if level.body.iter().any(|s| matches!(s.name.text.as_str(), "rewrite" | "try_files")) {
        return;
    }
    let bare = name.trim_matches('/');
    let path = first_of(root).trim_end_matches('/');
    let Some(parent) = path.strip_suffix(bare).and_then(|head| head.strip_suffix('/')) else {
        return;
    };
    if bare.is_empty() {
        return;
    }
    let text = format!("\"/{bare}/file\" is looked for at \"{path}/{bare}/file\"");
    let parent = if parent.is_empty() { "/" } else { parent };
    warn(diagnostics, root, text, format!("a root goes before the whole URI: root {parent};"));
}
