//! `limit_rate`: how fast an answer is sent.

use tidegate_config_derive::Directives;

use crate::value::size::Size;
use crate::value::template::Template;

/// How fast an answer is sent.
#[derive(Clone, Debug, Directives)]
pub struct LimitRate {
    /// Bytes a second for one request; 0 is without bound.
    #[directive(
        "limit_rate",
        also(LocationIf),
        ignored = "answers are sent as fast as the client takes them"
    )]
    pub rate: Template,
    /// The bytes that are sent before the bound holds.
    #[directive(
        "limit_rate_after",
        also(LocationIf),
        default = "0",
        args(1),
        ignored = "answers are sent as fast as the client takes them"
    )]
    pub after: Size,
}
