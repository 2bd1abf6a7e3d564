//! `autoindex`: a folder's listing.

use tidegate_config_derive::Directives;

use crate::value::choice::choice;

/// A folder's listing, where there is no index.
#[derive(Clone, Debug, Directives)]
pub struct Autoindex {
    /// Lists a folder, where there is no index.
    #[directive("autoindex", default = "off")]
    pub enabled: bool,
    /// Gives sizes in bytes rather than rounded.
    #[directive("autoindex_exact_size", default = "on")]
    pub exact_size: bool,
    /// The form of the listing.
    #[directive("autoindex_format", default = "html")]
    pub format: AutoindexFormat,
    /// Gives times in local time rather than UTC.
    #[directive("autoindex_localtime", default = "off")]
    pub localtime: bool,
}

choice! {
    /// The form of a listing.
    pub enum AutoindexFormat {
        /// A page.
        Html = "html",
        /// JSON.
        Json = "json",
        /// JSON in a function call, named by the argument `callback`.
        Jsonp = "jsonp",
        /// XML.
        Xml = "xml",
    }
}
