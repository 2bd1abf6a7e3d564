//! `proxy_set_header` beside `uwsgi_pass`, and the like: it does nothing there.

use super::{Check, Level, Rule, first_of, warn};
use crate::diagnostic::Diagnostics;
use crate::syntax::Statement;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "other-protocol",
    title: "Directives of one protocol beside the `…_pass` of another",
    danger: "They do nothing: headers, timeouts and buffers are not what they seem.",
    mend: "Write them with the prefix of the protocol that is used.",
    example: "server { location / { uwsgi_pass 127.0.0.1:1; proxy_read_timeout 9; } }",
    mended: "server { location / { uwsgi_pass 127.0.0.1:1; uwsgi_read_timeout 9; } }",
    check: Check::Level(check),
};

const PROTOCOLS: [&str; 5] = ["proxy", "uwsgi", "fastcgi", "scgi", "grpc"];

/// Looks for directives of one protocol in a block that forwards by another one.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    let forwards = |protocol: &str| {
        level.body.iter().find(|s| s.name.text.strip_suffix("_pass") == Some(protocol))
    };
    let Some((used, pass)) =
        PROTOCOLS.iter().find_map(|protocol| Some((*protocol, forwards(protocol)?)))
    else {
        return;
    };
    let mut params = false;
    for statement in level.body {
        let name = &statement.name.text;
        let Some((other, rest)) = name.split_once('_') else { continue };
        if other == used || !PROTOCOLS.contains(&other) || forwards(other).is_some() {
            continue;
        }
        // A file of parameters is told of once.
        if rest == "param" && std::mem::replace(&mut params, true) {
            continue;
        }
        let text = format!("\"{name}\" does nothing beside \"{}\"", pass.name.text);
        warn(diagnostics, statement, text, mend(used, rest, statement));
    }
}

/// What says the same for the protocol that is used.
fn mend(used: &str, rest: &str, statement: &Statement) -> String {
    let field = first_of(statement);
    match rest {
        "set_header" if used != "proxy" => {
            let value = statement.args.get(1).map(|word| word.text.as_str()).unwrap_or_default();
            let param = field.to_ascii_uppercase().replace('-', "_");
            format!(
                "an application behind {used} gets every header of the request by itself; to set one, \
                 write: {used}_param HTTP_{param} {value};"
            )
        }
        "param" if used == "proxy" => "remove it; an HTTP upstream has no parameters".to_owned(),
        "redirect" | "http_version" | "cookie_path" | "cookie_domain" => {
            format!("remove it; {used} needs nothing like it")
        }
        _ => format!("write {used}_{rest}, or remove it"),
    }
}
