//! Several servers on one address, none of which is said to be the default one.

use super::{Check, Level, Rule, advise, first_of};
use crate::diagnostic::Diagnostics;
use crate::syntax::Statement;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "default-server",
    title: "Several servers on an address without a `default_server`",
    danger: "Names that nobody has are answered by the server that happens to be read first; a new file in conf.d changes which, and it gets whatever `Host` a client makes up.",
    mend: "Add a server that turns such requests away: listen 80 default_server; return 444;",
    example: "server { listen 80; server_name a.example; return 200; } server { listen 80; server_name b.example; return 200; }",
    mended: "server { listen 80 default_server; return 444; } server { listen 80; server_name a.example; return 200; } server { listen 80; server_name b.example; return 200; }",
    check: Check::Level(check),
};

/// Looks at each address that two servers share.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    if level.name() != "http" {
        return;
    }
    let mut seen: Vec<(&str, &Statement, usize, bool)> = Vec::new();
    for server in level.all("server") {
        let listens = server.body().iter().filter(|inner| inner.name.text == "listen");
        for listen in listens {
            let address = plain(first_of(listen));
            let named = listen.args.iter().any(|word| word.text.starts_with("default"));
            match seen.iter_mut().find(|(known, ..)| *known == address) {
                Some((_, _, count, default)) => {
                    *count += 1;
                    *default |= named;
                }
                // A server without a name, or with one that no host has, is there to catch.
                None => seen.push((address, listen, 1, named || catches(server))),
            }
        }
        // Enough is known of an address that hundreds of servers share.
        if seen.len() > 64 {
            return;
        }
    }
    for (address, listen, count, default) in seen {
        if count > 1 && !default {
            let text = format!("names that none of {count} servers has come to this one by chance");
            let hint = format!("say which one is meant: listen {address} default_server;");
            advise(diagnostics, listen, text, hint);
        }
    }
}

/// `80` of `*:80`.
fn plain(address: &str) -> &str {
    address.strip_prefix("*:").or_else(|| address.strip_prefix("0.0.0.0:")).unwrap_or(address)
}

fn catches(server: &Statement) -> bool {
    let mut names =
        server.body().iter().filter(|inner| inner.name.text == "server_name").peekable();
    names.peek().is_none()
        || names.any(|names| {
            names.args.iter().any(|name| ["_", "", "localhost"].contains(&name.text.as_str()))
        })
}
