//! `auth_basic` without a file of users: everybody comes in.

use super::{Check, Level, Rule, first_of, warn};
use crate::diagnostic::Diagnostics;
use crate::syntax::Statement;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "auth-without-file",
    title: "`auth_basic` without a file of users",
    danger: "Nobody is asked for a name: everybody comes in.",
    mend: "Name the file with `auth_basic_user_file`.",
    example: "server { location /admin { auth_basic \"Staff\"; } }",
    mended: "server { location /admin { auth_basic \"Staff\"; auth_basic_user_file users; } }",
    check: Check::Level(check),
};

/// Looks for a realm that no file of users belongs to, at its level, around it or within it.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    const FILE: &str = "auth_basic_user_file";
    let Some(realm) = level.first("auth_basic").filter(|realm| first_of(realm) != "off") else {
        return;
    };
    let mut at = Some(level);
    while let Some(here) = at {
        if here.first(FILE).is_some() {
            return;
        }
        at = here.around;
    }
    if level.body.iter().any(|statement| has(statement, FILE)) {
        return;
    }
    let text = "\"auth_basic\" without \"auth_basic_user_file\" lets everybody in".to_owned();
    warn(
        diagnostics,
        realm,
        text,
        "name the file: auth_basic_user_file /etc/nginx/htpasswd;".to_owned(),
    );
}

fn has(statement: &Statement, name: &str) -> bool {
    statement.name.text == name || statement.body().iter().any(|inner| has(inner, name))
}
