//! The conditions of `if`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;

use tidegate_config::http::rewrite::{Condition, PathKind};

use crate::exchange::{Captured, Exchange};

/// Whether a condition holds.
pub(super) fn holds(ex: &mut Exchange<'_>, condition: &Condition) -> bool {
    match condition {
        Condition::True(value) => ex.is_true(value),
        Condition::Equals { value, to, not } => {
            let value = ex.render(value);
            (value == ex.render(to)) != *not
        }
        Condition::Matches { value, pattern, not } => {
            let value = ex.render(value);
            let found = ex.matches(pattern, &value);
            if !found {
                ex.captured = Captured::default();
            }
            found != *not
        }
        Condition::Path { path, kind, not } => {
            let path = ex.render(path);
            is_kind(&path, *kind) != *not
        }
    }
}

fn is_kind(path: &[u8], kind: PathKind) -> bool {
    const EXECUTE: u32 = 0o111;
    let Ok(found) = fs::metadata(OsStr::from_bytes(path)) else { return false };
    match kind {
        PathKind::File => found.is_file(),
        PathKind::Folder => found.is_dir(),
        PathKind::Exists => true,
        PathKind::Executable => found.permissions().mode() & EXECUTE != 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_apart_by_kind() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        let is = |path: &std::path::Path, kind| is_kind(path.as_os_str().as_bytes(), kind);
        assert!(is(&file, PathKind::File) && is(&file, PathKind::Exists));
        assert!(!is(&file, PathKind::Folder) && !is(&file, PathKind::Executable));
        assert!(is(folder.path(), PathKind::Folder) && is(folder.path(), PathKind::Executable));
        assert!(!is(&folder.path().join("none"), PathKind::Exists));
    }
}
