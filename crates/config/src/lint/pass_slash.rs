//! `location /api { proxy_pass http://x/; }`: the URI takes the place of the location's name, and a
//! slash at one end only is one too many or one too few.

use super::{Level, first_of, warn};
use crate::diagnostic::Diagnostics;

/// Looks at the URI of `proxy_pass` next to its location's name.
pub(super) fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    let (Some(name), Some(pass)) = (level.prefix(), level.first("proxy_pass")) else { return };
    let target = first_of(pass);
    let Some(uri) = uri(target) else { return };
    // With `rewrite … break` the URI is not used.
    if target.contains('$') || uri.contains('?') || level.first("rewrite").is_some() {
        return;
    }
    match (name.ends_with('/'), uri.ends_with('/')) {
        (false, true) if name.starts_with('/') => {
            let text = format!("\"{name}/x\" is asked for as \"{uri}/x\"");
            warn(diagnostics, pass, text, format!("end both with a slash: location {name}/ {{"));
        }
        (true, false) => {
            let text = format!("\"{name}x\" is asked for as \"{uri}x\"");
            warn(diagnostics, pass, text, format!("end both with a slash: proxy_pass {target}/;"));
        }
        _ => {}
    }
}

/// The URI behind scheme and host.
fn uri(target: &str) -> Option<&str> {
    let (_, rest) = target.split_once("://")?;
    if let Some(path) = rest.strip_prefix("unix:") {
        return path.split_once(':').map(|(_, uri)| uri).filter(|uri| !uri.is_empty());
    }
    rest.find('/').and_then(|at| rest.get(at..))
}
