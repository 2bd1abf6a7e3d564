//! Locations that another one keeps from ever being found.

use std::collections::HashSet;

use super::level::location_of;
use super::{Check, Level, Rule, warn};
use crate::diagnostic::Diagnostics;
use crate::syntax::Statement;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "shadowed",
    title: "A location that can never match",
    danger: "Requests meant for it go to another one, and nothing tells.",
    mend: "Put the one that matches less first, or take one away.",
    example: "server { location ~ \\.php$ { return 403; } location ~ \\.php$ { return 404; } }",
    mended: "server { location ~ \\.php$ { return 403; } location ~ \\.phps$ { return 404; } }",
    check: Check::Level(check),
};

/// Expressions that match every URI.
const ANYTHING: [&str; 9] = ["/", "^/", "^", ".*", "^.*$", "^/.*$", "^/.*", "^(.*)$", "^/(.*)$"];

/// Looks for expressions that stand behind the same one, or behind one that matches everything.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    let mut seen: HashSet<(&str, &str)> = HashSet::new();
    let mut all: Option<&str> = None;
    for location in level.all("location") {
        let Some((modifier, name)) = location_of(location) else { continue };
        let is_regex = modifier == "~" || modifier == "~*";
        if !is_regex {
            continue;
        }
        if let Some(first) = all {
            tell(diagnostics, location, name, first);
        } else if seen.contains(&(modifier, name)) {
            tell(diagnostics, location, name, name);
        }
        seen.insert((modifier, name));
        if all.is_none() && ANYTHING.contains(&name) {
            all = Some(name);
        }
    }
    let Some(first) = all else { return };
    for location in level.all("location") {
        let Some(("", name)) = location_of(location) else { continue };
        // One with locations of its own is entered before the expressions of this level.
        let enters = location.body().iter().any(|inner| inner.name.text == "location");
        if name.starts_with('/') && !enters {
            tell(diagnostics, location, name, first);
        }
    }
}

fn tell(diagnostics: &mut Diagnostics, location: &Statement, name: &str, by: &str) {
    let text = format!("no request comes to \"{name}\": the expression \"{by}\" takes them all");
    warn(diagnostics, location, text, "take one of the two away, or make it match less");
}
