//! Paths of files and folders.

use std::path::{Path, PathBuf};

/// The path that a value names: a relative one starts at the prefix (`ngx_conf_full_name`).
pub fn full(text: &str, prefix: &Path) -> PathBuf {
    prefix.join(text)
}

/// A folder of temporary files, and folders within it (nginx: `ngx_path_t`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TempPath {
    /// The folder.
    pub folder: PathBuf,
    /// How long the names of the folders within it are, from the outside in: they are the last
    /// digits of a file's number.
    pub levels: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_is_under_the_prefix() {
        let prefix = Path::new("/srv/nginx/");
        assert_eq!(full("html", prefix), Path::new("/srv/nginx/html"));
        assert_eq!(full("/var/www", prefix), Path::new("/var/www"));
    }
}
