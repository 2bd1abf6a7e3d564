//! `empty_gif`: a picture of one transparent point.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};

/// A picture of one transparent point.
#[derive(Clone, Debug, Directives)]
pub struct EmptyGif {
    /// Answers with a picture of one transparent point.
    #[directive("empty_gif", only(Location), own, joins, parse = on, args(0))]
    pub enabled: bool,
}

fn on(_: &Arguments<'_>, _: &mut Cx<'_>) -> Result<bool, Fault> {
    Ok(true)
}
