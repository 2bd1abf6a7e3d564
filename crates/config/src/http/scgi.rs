//! `scgi_param`: the only directive that SCGI shares with no other protocol.

use tidegate_config_derive::Directives;

use crate::http::uwsgi::Param;

/// How a request is forwarded over SCGI.
#[derive(Clone, Debug, Directives)]
pub struct Scgi {
    /// A variable of the application, and its value.
    #[directive("scgi_param", repeat, parse = Param::parse, args(2, 3))]
    pub params: Vec<Param>,
}
