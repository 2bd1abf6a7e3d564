//! `absolute_redirect` and its kin: how a redirect to ourselves is spelled.

use tidegate_config_derive::Directives;

/// How a redirect to ourselves is spelled.
#[derive(Clone, Debug, Directives)]
pub struct Redirect {
    /// Puts scheme, host and port before the path.
    #[directive("absolute_redirect", default = "on")]
    pub absolute: bool,
    /// Names the port we listen on, where it is not the scheme's.
    #[directive("port_in_redirect", default = "on")]
    pub port: bool,
    /// Takes the first `server_name` rather than the client's `Host`.
    #[directive("server_name_in_redirect", default = "off")]
    pub server_name: bool,
}
