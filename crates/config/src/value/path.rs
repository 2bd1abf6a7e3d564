//! Paths of files and folders.

use std::path::{Path, PathBuf};

/// The path that a value names: a relative one starts at the prefix (`ngx_conf_full_name`).
pub fn full(text: &str, prefix: &Path) -> PathBuf {
    prefix.join(text)
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
