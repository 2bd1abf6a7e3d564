//! `ssl_protocols TLSv1`: versions and ciphers that are broken.

use super::{Check, Level, Rule, first_of, warn};
use crate::diagnostic::Diagnostics;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "weak-tls",
    title: "Weak versions of TLS and weak ciphers",
    danger: "What is sent can be read or changed on its way; browsers have given these up.",
    mend: "ssl_protocols TLSv1.2 TLSv1.3; and no `ssl_ciphers` of one's own.",
    example: "server { ssl_protocols TLSv1 TLSv1.2; }",
    mended: "server { ssl_protocols TLSv1.2 TLSv1.3; }",
    check: Check::Level(check),
};

const OLD: [&str; 4] = ["SSLv2", "SSLv3", "TLSv1", "TLSv1.1"];
const BROKEN: [&str; 9] = ["RC4", "DES", "3DES", "MD5", "NULL", "aNULL", "eNULL", "EXP", "LOW"];

/// Looks for what is old or broken.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    for prefix in ["", "proxy_", "uwsgi_", "grpc_"] {
        for statement in level.body {
            let Some(name) = statement.name.text.strip_prefix(prefix) else { continue };
            match name {
                "ssl_protocols" => {
                    let is_old = |text: &str| OLD.iter().any(|old| old.eq_ignore_ascii_case(text));
                    let old = statement.args.iter().find(|word| is_old(&word.text));
                    let Some(old) = old else { continue };
                    let text = format!("{} is broken, and stays off here", old.text);
                    let hint = format!("write: {prefix}ssl_protocols TLSv1.2 TLSv1.3;");
                    warn(diagnostics, statement, text, hint);
                }
                "ssl_ciphers" => {
                    let Some(broken) = broken(first_of(statement)) else { continue };
                    let text = format!("ciphers with {broken} are broken");
                    warn(
                        diagnostics,
                        statement,
                        text,
                        format!("leave it away, or write !{broken}"),
                    );
                }
                _ => {}
            }
        }
    }
}

/// A broken part of a list of ciphers that is taken in, and taken out again nowhere.
fn broken(list: &str) -> Option<&str> {
    let parts = || list.split([':', ' ', ',']).filter(|part| !part.is_empty());
    let out = |part: &str| {
        parts().any(|other| other.strip_prefix('!').or(other.strip_prefix('-')) == Some(part))
    };
    parts().filter(|part| !part.starts_with(['!', '-'])).find_map(|part| {
        let mut pieces = part.trim_start_matches('+').split(['-', '+']);
        pieces.find(|piece| BROKEN.contains(piece) && !out(piece))
    })
}
