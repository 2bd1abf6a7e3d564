//! `add_before_body`, `add_after_body`: what stands around a page.

use tidegate_config_derive::Directives;

use crate::http::types::MediaTypes;

/// What stands around a page.
#[derive(Clone, Debug, Directives)]
pub struct Addition {
    /// The URI whose answer goes before the body; an empty one is none.
    #[directive("add_before_body", args(1))]
    pub before: Option<String>,
    /// The URI whose answer goes behind the body; an empty one is none.
    #[directive("add_after_body", args(1))]
    pub after: Option<String>,
    /// The types of answers that something is added to, besides `text/html`; `*` is all.
    #[directive("addition_types", default = "text/html", joins)]
    pub types: MediaTypes,
}
