//! `DIRECTIVES.md` says what the declarations say; `UPDATE=1 cargo test -p tidegate-config` writes it.

use std::path::Path;

use tidegate_config::directive::reference::markdown;

#[test]
fn the_reference_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../DIRECTIVES.md");
    let current = markdown();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let first = written.lines().zip(current.lines()).find(|(old, new)| old != new);
    let mend = "run `UPDATE=1 cargo test -p tidegate-config --test reference`";
    assert!(written == current, "DIRECTIVES.md is not current ({first:?}); {mend}");
}
