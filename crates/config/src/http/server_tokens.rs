//! `server_tokens`: what we tell of ourselves.

use tidegate_config_derive::Directives;

use crate::value::choice::choice;

/// What we tell of ourselves.
#[derive(Clone, Debug, Directives)]
pub struct ServerTokens {
    /// Whether `Server` and error pages name the version.
    #[directive("server_tokens", default = "on")]
    pub tokens: Tokens,
    /// Fills small error pages up for Internet Explorer and Chrome, which show others of their own.
    #[directive("msie_padding", default = "on")]
    pub msie_padding: bool,
    /// Redirects Internet Explorer by a page.
    #[directive("msie_refresh", default = "off")]
    pub msie_refresh: bool,
}

choice! {
    /// What we tell of ourselves.
    pub enum Tokens {
        /// The name alone.
        Off = "off",
        /// Name and version.
        On = "on",
        /// Name, version and build.
        Build = "build",
    }
}
