//! `location /api { proxy_pass http://x/; }`: the URI takes the place of the location's name, and a
//! slash at one end only is one too many or one too few.

use super::{Check, Level, Rule, first_of, warn};
use crate::diagnostic::Diagnostics;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "pass-slash",
    title: "A slash at the end of a location or of the URI of `proxy_pass` alone",
    danger: "The URI takes the place of the location's name: there is a slash too many or too few in what the application is asked for, and `/api../x` may lead out of it.",
    mend: "End both with a slash, or neither.",
    example: "server { location /api { proxy_pass http://127.0.0.1:1/; } }",
    mended: "server { location /api/ { proxy_pass http://127.0.0.1:1/; } }",
    check: Check::Level(check),
};

/// Looks at the URI of `proxy_pass` next to its location's name.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    let (Some(name), Some(pass)) = (level.prefix_name(), level.first("proxy_pass")) else { return };
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
