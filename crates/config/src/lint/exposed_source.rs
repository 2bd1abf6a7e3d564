//! `root /srv/app`: the folder of a project, with its source and its secrets.

use std::path::Path;

use super::level::location_of;
use super::{Check, Level, Rule, first_of, warn};
use crate::diagnostic::Diagnostics;
use crate::syntax::Statement;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "exposed-source",
    title: "A `root` or `alias` that exposes a project's source, or the system's own folders",
    danger: "`/.env`, `/.git/config` or `/settings.py` are sent to whoever asks: passwords and keys with them.",
    mend: "Point `root` at the folder of public files, or keep clients out: location ~ /\\. { deny all; }",
    example: "server { root app; }",
    mended: "server { root app/public; }",
    check: Check::Level(check),
};

/// What is in the folder of a project, and not for clients.
const SECRETS: [&str; 12] = [
    ".env",
    ".git",
    ".hg",
    ".svn",
    "manage.py",
    "settings.py",
    "wsgi.py",
    "app.py",
    "composer.json",
    "requirements.txt",
    "pyproject.toml",
    "Gemfile",
];

/// Folders of the system.
const SYSTEM: [&str; 7] = ["/", "/etc", "/home", "/root", "/var", "/usr", "/proc"];

/// Looks into the folders that are served.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    for served in level.all("root").chain(level.all("alias")) {
        let path = first_of(served);
        if path.contains('$') || level.first("internal").is_some() || level.pass().is_some() {
            continue;
        }
        let bare = if path.len() > 1 { path.trim_end_matches('/') } else { path };
        if SYSTEM.contains(&bare) {
            let text = format!("all of \"{path}\" is served to whoever asks");
            warn(diagnostics, served, text, "name the folder of the public files alone");
            continue;
        }
        let folder = level.prefix.join(path);
        if !folder.is_dir() {
            continue;
        }
        let Some(secret) = SECRETS.iter().find(|name| holds(&folder, name)) else {
            continue;
        };
        if !guarded(level, secret) {
            let text = format!("\"{secret}\" in this folder is sent to whoever asks for it");
            let hint =
                "name the folder of the public files alone, or: location ~ /\\. { deny all; }";
            warn(diagnostics, served, text, hint);
        }
    }
}

fn holds(folder: &Path, name: &str) -> bool {
    folder.join(name).exists()
}

/// Whether some location keeps clients from such names: one about dots, or all that reaches disk
/// is one of another kind.
fn guarded(level: &Level<'_>, secret: &str) -> bool {
    let keeps = |statement: &Statement| {
        location_of(statement).is_some_and(|(modifier, name)| {
            let about = if secret.starts_with('.') { "\\." } else { secret };
            modifier.starts_with('~') && (name.contains(about) || name.contains("py"))
                || name == "/" && statement.body().iter().any(is_pass)
        })
    };
    level.outwards().any(|level| level.body.iter().any(keeps))
}

fn is_pass(statement: &Statement) -> bool {
    statement.name.text.ends_with("_pass")
}
