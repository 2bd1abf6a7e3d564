//! What a client says of itself, passed on as if we had said it.

use super::{Check, Level, Rule, first_of, warn};
use crate::diagnostic::Diagnostics;
use crate::syntax::Statement;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "forwarded-fields",
    title: "What a client says of its own scheme, sent on as if we had said it",
    danger: "Behind our own TLS a client makes the application believe that it came by https, or that it did not.",
    mend: "Send `$scheme`.",
    example: "server { listen 443 ssl; ssl_certificate a.pem; ssl_certificate_key a.key; location / { proxy_pass http://127.0.0.1:1; proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto; } }",
    mended: "server { listen 443 ssl; ssl_certificate a.pem; ssl_certificate_key a.key; location / { proxy_pass http://127.0.0.1:1; proxy_set_header X-Forwarded-Proto $scheme; } }",
    check: Check::Level(check),
};

/// Looks for `X-Forwarded-Proto $http_x_forwarded_proto` where we know better: behind our own TLS.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
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
