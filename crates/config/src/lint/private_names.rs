//! `resolver 8.8.8.8` for names that only a resolver inside knows.

use super::{Check, Level, Rule, first_of, warn};
use crate::diagnostic::Diagnostics;
use crate::syntax::Statement;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "private-names",
    title: "A public `resolver` for private names",
    danger: "It does not know them, so that requests end with 502; and it is told what is inside.",
    mend: "Name the resolver of the network: 127.0.0.11 in Docker, kube-dns in Kubernetes, or what /etc/resolv.conf says.",
    example: "server { resolver 8.8.8.8; location / { set $to app.internal; proxy_pass http://$to:8000; } }",
    mended: "server { resolver 127.0.0.11; location / { set $to app.internal; proxy_pass http://$to:8000; } }",
    check: Check::Level(check),
};

const PUBLIC: [&str; 10] = [
    "8.8.8.8",
    "8.8.4.4",
    "1.1.1.1",
    "1.0.0.1",
    "9.9.9.9",
    "208.67.222.222",
    "208.67.220.220",
    "[2001:4860:4860::8888]",
    "[2606:4700:4700::1111]",
    "94.140.14.14",
];

const PRIVATE: [&str; 10] = [
    ".internal",
    ".local",
    ".lan",
    ".consul",
    ".svc",
    ".cluster.local",
    ".home.arpa",
    ".intranet",
    ".corp",
    ".docker",
];

/// Looks for names of the inside where the resolver is one of the outside.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    for resolver in level.all("resolver") {
        let public = |word: &&str| PUBLIC.contains(&word.strip_suffix(":53").unwrap_or(word));
        let words = || resolver.args.iter().map(|word| word.text.as_str());
        let addresses = words().filter(|word| !word.contains('='));
        if addresses.clone().count() == 0 || !addresses.clone().all(|word| public(&word)) {
            continue;
        }
        let Some(name) = level.body.iter().find_map(private) else { continue };
        let text = format!("{} does not know \"{name}\"", first_of(resolver));
        warn(diagnostics, resolver, text, "name the resolver of your own network");
    }
}

/// A private name within a statement that has it looked up.
fn private(statement: &Statement) -> Option<&str> {
    let looked_up = matches!(statement.name.text.as_str(), "set" | "server")
        || statement.name.text.ends_with("_pass");
    let own = statement.args.iter().filter(|_| looked_up).map(|word| word.text.as_str());
    own.map(host)
        .find(|host| PRIVATE.iter().any(|end| host.ends_with(end)))
        .or_else(|| statement.body().iter().find_map(private))
}

/// The host of an address or a URL.
fn host(text: &str) -> &str {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    rest.split([':', '/', '?']).next().unwrap_or_default()
}
