//! `random_index`: one of a folder's files, drawn by lot.

use tidegate_config_derive::Directives;

/// One of a folder's files, drawn by lot.
#[derive(Clone, Debug, Directives)]
pub struct RandomIndex {
    /// Answers for a folder with one of its files, drawn by lot.
    #[directive("random_index", only(Location), default = "off")]
    pub enabled: bool,
}
