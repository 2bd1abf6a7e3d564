//! `add_header`, `proxy_set_header` and their kin: one at a level, and all those around it are lost.

use super::{Check, Level, Rule, first_of, warn};
use crate::diagnostic::Diagnostics;
use crate::syntax::Statement;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "lost-list",
    title: "A list that replaces the one around it",
    danger: "One `add_header` at a level takes away all those around it, often `Strict-Transport-Security` and its like; so do `proxy_set_header` and parameters.",
    mend: "Repeat at the level what is wanted there.",
    example: "server { add_header X-Frame-Options DENY; location /x { add_header X 1; } }",
    mended: "server { add_header X-Frame-Options DENY; location /x { add_header X 1; add_header X-Frame-Options DENY; } }",
    check: Check::Level(check),
};

/// Directives that are inherited only where a level has none of them.
const LISTS: [&str; 4] = ["add_header", "proxy_set_header", "uwsgi_param", "fastcgi_param"];

/// Looks for entries of the list around a level that its own list leaves out.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    for list in LISTS {
        let (Some(first), Some(outer)) = (level.first(list), inherited(level, list)) else {
            continue;
        };
        let said =
            |field: &str| level.all(list).any(|own| first_of(own).eq_ignore_ascii_case(field));
        // An added field without a value is not sent anyway.
        let empty = |entry: &Statement| {
            list == "add_header" && entry.args.get(1).is_some_and(|value| value.text.is_empty())
        };
        let lost: Vec<&Statement> =
            outer.all(list).filter(|entry| !said(first_of(entry)) && !empty(entry)).collect();
        let Some(example) = lost.first() else { continue };
        let mut names: Vec<&str> = lost.iter().map(|entry| first_of(entry)).collect();
        names.dedup();
        let more = names.len().saturating_sub(3);
        names.truncate(3);
        let mut names = names.join(", ");
        if more > 0 {
            names = format!("{names} and {more} more");
        }
        let text = format!("\"{list}\" here replaces those around it, which are lost: {names}");
        let words: Vec<String> = example.args.iter().map(shown).collect();
        warn(
            diagnostics,
            first,
            text,
            format!("repeat what is wanted: {list} {};", words.join(" ")),
        );
    }
}

/// The nearest level around this one with such a list.
fn inherited<'a>(level: &Level<'a>, list: &'a str) -> Option<&'a Level<'a>> {
    let mut around = level.around;
    while let Some(outer) = around {
        if outer.first(list).is_some() {
            return Some(outer);
        }
        around = outer.around;
    }
    None
}

/// A word as it would be written.
fn shown(word: &crate::syntax::Word) -> String {
    if word.quoted { format!("\"{}\"", word.text.replace('"', "\\\"")) } else { word.text.clone() }
}
