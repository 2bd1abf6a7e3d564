//! What a client says of itself, passed on as if we had said it.

use super::{Level, first_of, warn};
use crate::diagnostic::Diagnostics;
use crate::syntax::Statement;

/// Looks for `X-Forwarded-Proto $http_x_forwarded_proto` where we know better: behind our own TLS.
pub(super) fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    if !terminates(level) {
        return;
    }
    let written = |statement: &&Statement| {
        let field = first_of(statement).replace('-', "_").to_ascii_lowercase();
        match statement.name.text.as_str() {
            "proxy_set_header" => field == "x_forwarded_proto",
            "uwsgi_param" | "fastcgi_param" | "scgi_param" => field == "http_x_forwarded_proto",
            _ => false,
        }
    };
    for set in level.body.iter().filter(written) {
        if set.args.get(1).is_some_and(|value| value.text == "$http_x_forwarded_proto") {
            let name = &set.name.text;
            let text = "the client is believed when it says that it came by https";
            let hint = format!("write: {name} {} $scheme;", first_of(set));
            warn(diagnostics, set, text, hint);
        }
    }
}

/// Whether the server around a level takes connections by TLS itself.
fn terminates(level: &Level<'_>) -> bool {
    let mut level = Some(level);
    while let Some(here) = level {
        if here.name() == "server" {
            let tls = |listen: &Statement| listen.args.iter().any(|word| word.text == "ssl");
            return here.all("listen").any(tls);
        }
        level = here.around;
    }
    false
}
