//! `$http_host`: what the client writes, not what the server has judged.

use super::{Check, Level, Rule, advise, first_of, warn};
use crate::diagnostic::Diagnostics;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "forwarded-host",
    title: "`Host` taken from `$http_host` where it matters",
    danger: "`$http_host` is what the client wrote, also where the request line names another host: links in mails, caches and redirects then lead where an attacker wants.",
    mend: "Use `$host`, or `$host:$server_port` where the port is not the usual one.",
    example: "server { location / { return 301 https://$http_host/x; } }",
    mended: "server { location / { return 301 https://$host/x; } }",
    check: Check::Level(check),
};

/// Looks for redirects to what the client names, and for that host passed on.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    for statement in level.body {
        let text = statement.args.iter().map(|word| word.text.as_str());
        let mut uses =
            text.filter(|text| text.contains("$http_host") || text.contains("${http_host}"));
        let Some(word) = uses.next() else { continue };
        let mend = word.replace("${http_host}", "$host").replace("$http_host", "$host");
        match statement.name.text.as_str() {
            "return" | "rewrite" if word.contains("://") => {
                let text = "the client says where it is sent, by a Host of its own";
                warn(diagnostics, statement, text, format!("write: {mend}"));
            }
            "proxy_pass" => {
                let text = "the client says which host is asked, by a Host of its own";
                warn(
                    diagnostics,
                    statement,
                    text,
                    "name the upstream, or choose among some by `map`",
                );
            }
            "proxy_set_header"
                if first_of(statement).eq_ignore_ascii_case("host") && catches_all(level) =>
            {
                let text = "the application gets whatever Host the client makes up";
                let hint = "write: proxy_set_header Host $host; or give this server its names";
                advise(diagnostics, statement, text, hint);
            }
            _ => {}
        }
    }
}

/// Whether the server around a level answers for any name: it has none, or `_`.
fn catches_all(level: &Level<'_>) -> bool {
    let Some(server) = level.outwards().find(|level| level.name() == "server") else {
        return false;
    };
    // A server that has this machine's name only is one to try things with.
    !server
        .all("server_name")
        .any(|names| names.args.iter().any(|name| !["_", ""].contains(&name.text.as_str())))
}
