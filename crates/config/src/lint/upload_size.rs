//! Uploads are forwarded, and nobody has said how large they may be.

use super::{Check, Level, Rule, advise};
use crate::diagnostic::Diagnostics;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "upload-size",
    title: "`client_max_body_size` missing where uploads pass",
    danger: "A body of more than 1 megabyte is answered with 413 before the application sees it.",
    mend: "Say how large a body may be: client_max_body_size 20m;",
    example: "server { location /upload { proxy_pass http://127.0.0.1:1; } }",
    mended: "server { location /upload { client_max_body_size 20m; proxy_pass http://127.0.0.1:1; } }",
    check: Check::Level(check),
};

/// What only those write who expect large bodies.
const SIGNS: [&str; 7] = [
    "client_body_timeout",
    "client_body_temp_path",
    "client_body_buffer_size",
    "proxy_request_buffering",
    "uwsgi_request_buffering",
    "fastcgi_request_buffering",
    "scgi_request_buffering",
];

/// Looks for locations that forward and are about uploads, by name or by what they say.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    let (Some((_, name)), Some(pass)) = (level.location(), level.pass()) else { return };
    if level.outwards().any(|level| level.first("client_max_body_size").is_some()) {
        return;
    }
    let named = ["upload", "attachment", "import"]
        .iter()
        .any(|word| name.to_ascii_lowercase().contains(word));
    if named || SIGNS.iter().any(|sign| level.first(sign).is_some()) {
        let text = "a body of more than 1 megabyte is answered with 413 here";
        advise(diagnostics, pass, text, "say how large it may be: client_max_body_size 20m;");
    }
}
