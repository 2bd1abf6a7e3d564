//! `open_file_cache`: what is remembered of files.

use std::time::Duration;

use tidegate_config_derive::Directives;

/// What is remembered of files.
#[derive(Clone, Debug, Directives)]
pub struct OpenFileCache {
    /// How many files are remembered, and how long.
    #[directive("open_file_cache", args(1, 2), ignored = "a changed file is always seen at once")]
    pub cache: Option<Vec<String>>,
    /// After how long a file is looked at again.
    #[directive(
        "open_file_cache_valid",
        default = "60s",
        ignored = "a changed file is always seen at once"
    )]
    pub valid: Duration,
    /// After how many uses a file is kept open.
    #[directive(
        "open_file_cache_min_uses",
        default = "1",
        ignored = "a changed file is always seen at once"
    )]
    pub min_uses: u32,
    /// Whether missing files are remembered.
    #[directive(
        "open_file_cache_errors",
        default = "off",
        ignored = "a changed file is always seen at once"
    )]
    pub errors: bool,
}
