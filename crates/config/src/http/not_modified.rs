//! `etag`, `if_modified_since`, `max_ranges`: answers that need not be sent, or not whole.

use tidegate_config_derive::Directives;

use crate::value::choice::choice;

/// Answers that need not be sent, or not whole.
#[derive(Clone, Debug, Directives)]
pub struct NotModified {
    /// Gives files an `ETag` made of time and length.
    #[directive("etag", default = "on")]
    pub etag: bool,
    /// How `If-Modified-Since` is compared with a file's time.
    #[directive("if_modified_since", default = "exact")]
    pub if_modified_since: IfModifiedSince,
    /// How many ranges may be asked for at once; 0 is none.
    #[directive("max_ranges", default = "2147483647")]
    pub max_ranges: u32,
}

choice! {
    /// How `If-Modified-Since` is compared with a file's time.
    pub enum IfModifiedSince {
        /// Not at all: the answer is always sent.
        Off = "off",
        /// It must be the same.
        Exact = "exact",
        /// It must be the same or later.
        Before = "before",
    }
}
