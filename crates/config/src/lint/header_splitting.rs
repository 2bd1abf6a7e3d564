//! `return 301 https://$host$uri`: `$uri` is decoded, and may hold line ends.

use super::{Check, Level, Rule, first_of, warn};
use crate::diagnostic::Diagnostics;
use crate::syntax::Statement;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "header-splitting",
    title: "`$uri` or `$document_uri` in `return`, `rewrite`, `proxy_pass` or a header",
    danger: "These are decoded: a request for `/x%0d%0aSet-Cookie:…` writes header fields of its own into the answer or the forwarded request.",
    mend: "Use `$request_uri`, which is as the client sent it.",
    example: "server { location / { return 301 https://a.example$uri; } }",
    mended: "server { location / { return 301 https://a.example$request_uri; } }",
    check: Check::Level(check),
};

/// Looks for decoded paths where a line is made of them.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    for statement in level.body {
        let Some(word) = decoded(statement) else { continue };
        let mend = ["$document_uri", "${document_uri}", "${uri}", "$uri"]
            .iter()
            .fold(word.to_owned(), |text, name| text.replace(name, "$request_uri"));
        let text =
            format!("\"{}\" writes a decoded path, which may hold line ends", statement.name.text);
        warn(diagnostics, statement, text, format!("write: {}", mend.replace("$is_args$args", "")));
    }
}

/// The word of a line that is made of a decoded path.
fn decoded(statement: &Statement) -> Option<&str> {
    let words = || statement.args.iter().map(|word| word.text.as_str());
    let target = match statement.name.text.as_str() {
        "return" => {
            let redirects =
                first_of(statement).starts_with('3') || first_of(statement).contains("://");
            words().next_back().filter(|_| redirects)
        }
        "rewrite" => {
            let target = words().nth(1)?;
            let flag = words().nth(2).unwrap_or_default();
            Some(target).filter(|text| {
                ["redirect", "permanent"].contains(&flag) || text.starts_with("http")
            })
        }
        "proxy_pass" => words().next(),
        "add_header" => words().nth(1),
        _ => None,
    }?;
    holds_path(target).then_some(target)
}

fn holds_path(text: &str) -> bool {
    if text.contains("${uri}") || text.contains("${document_uri}") {
        return true;
    }
    ["$uri", "$document_uri"].iter().any(|name| {
        text.match_indices(name).any(|(at, _)| {
            let behind = text.get(at + name.len()..).unwrap_or_default();
            !behind.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        })
    })
}
