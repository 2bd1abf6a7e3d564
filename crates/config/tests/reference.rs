//! `DIRECTIVES.md`, `LINT.md` and `VARIABLES.md` say what the declarations say;
//! `UPDATE=1 cargo test -p tidegate-config --test reference` writes them.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use tidegate_config::{directive, lint, variable};

#[track_caller]
fn is_current(name: &str, current: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, current).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let first = written.lines().zip(current.lines()).find(|(old, new)| old != new);
    let mend = "run `UPDATE=1 cargo test -p tidegate-config --test reference`";
    assert!(written == current, "{name} is not current ({first:?}); {mend}");
}

#[test]
fn the_reference_of_directives_is_current() {
    is_current("DIRECTIVES.md", &directive::reference::markdown());
}

#[test]
fn the_reference_of_lint_is_current() {
    is_current("LINT.md", &lint::markdown());
}

#[test]
fn the_reference_of_variables_is_current() {
    is_current("VARIABLES.md", &variable::markdown());
}
