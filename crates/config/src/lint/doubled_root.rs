//! `location /static { root /srv/static; }`: files are looked for in `/srv/static/static`.

use super::{Level, first_of, warn};
use crate::diagnostic::Diagnostics;

/// Looks for a root that ends with its location's name.
pub(super) fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    let (Some(name), Some(root)) = (level.prefix(), level.first("root")) else { return };
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
