//! `slice`: large answers asked for in pieces.

use tidegate_config_derive::Directives;

use crate::value::size::Size;

/// Large answers asked for in pieces.
#[derive(Clone, Debug, Directives)]
pub struct Slice {
    /// How long a piece is, in bytes; 0 is the whole. `$slice_range` is the piece to be asked for.
    #[directive("slice", default = "0")]
    pub size: Size,
}
