//! `map`: a variable whose value depends on another's.

use tidegate_config_derive::Directives;

use crate::value::hosts::Hosts;
use crate::value::pattern::Patterns;
use crate::value::template::Template;
use crate::variable::Slot;

/// The sizes of the tables of maps.
#[derive(Clone, Debug, Directives)]
pub struct MapHash {
    /// The largest size of a map's table.
    #[directive(
        "map_hash_max_size",
        default = "2048",
        only(Http),
        ignored = "tables grow as needed"
    )]
    pub max_size: u32,
    /// The size of a bucket of a map's table.
    #[directive(
        "map_hash_bucket_size",
        default = "64",
        only(Http),
        ignored = "tables grow as needed"
    )]
    pub bucket_size: u32,
    /// The largest size of the table of variables.
    #[directive(
        "variables_hash_max_size",
        default = "1024",
        only(Http),
        ignored = "tables grow as needed"
    )]
    pub variables_max_size: u32,
    /// The size of a bucket of the table of variables.
    #[directive(
        "variables_hash_bucket_size",
        default = "64",
        only(Http),
        ignored = "tables grow as needed"
    )]
    pub variables_bucket_size: u32,
}

/// A `map` block.
#[derive(Clone, Debug)]
pub struct Map {
    /// What is looked up.
    pub source: Template,
    /// The variable that gets the value.
    pub target: Slot,
    /// Values of keys, which are compared without case; with `hostnames`, keys may be wildcards.
    pub keys: Hosts<Template>,
    /// Regular expressions in order, with the slots of their named groups.
    pub regexes: Patterns<Template>,
    /// What holds where nothing matches.
    pub default: Template,
    /// `hostnames`: a dot at the end of the source is dropped, and wildcards match.
    pub hostnames: bool,
    /// `volatile`: looked up anew each time.
    pub volatile: bool,
}
