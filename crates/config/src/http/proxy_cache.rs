//! `proxy_cache` and its family: answers that are kept.

use tidegate_config_derive::Directives;

/// Why nothing of it acts.
const NOT_KEPT: &str = "answers are not kept yet";

/// Answers that are kept.
#[derive(Clone, Debug, Directives)]
pub struct Cache {
    /// The zone that answers are kept in.
    #[directive("{}_cache", args(1), ignored = NOT_KEPT)]
    pub cache: Option<Vec<String>>,
    /// What two requests for the same answer have in common.
    #[directive("{}_cache_key", args(1), ignored = NOT_KEPT)]
    pub cache_key: Option<Vec<String>>,
    /// How long answers stay fresh.
    #[directive("{}_cache_valid", args(1, ..), repeat, ignored = NOT_KEPT)]
    pub cache_valid: Vec<Vec<String>>,
    /// When an answer is asked for anew.
    #[directive("{}_cache_bypass", args(1, ..), repeat, ignored = NOT_KEPT)]
    pub cache_bypass: Vec<Vec<String>>,
    /// When an answer is not kept.
    #[directive("{}_no_cache", args(1, ..), repeat, ignored = NOT_KEPT)]
    pub no_cache: Vec<Vec<String>>,
    /// The methods whose answers are kept.
    #[directive("{}_cache_methods", args(1, ..), repeat, ignored = NOT_KEPT)]
    pub cache_methods: Vec<Vec<String>>,
    /// After how many requests an answer is kept.
    #[directive("{}_cache_min_uses", args(1), ignored = NOT_KEPT)]
    pub cache_min_uses: Option<Vec<String>>,
    /// When an answer that is no longer fresh is given.
    #[directive("{}_cache_use_stale", args(1, ..), repeat, ignored = NOT_KEPT)]
    pub cache_use_stale: Vec<Vec<String>>,
    /// Whether one request at a time asks for an answer.
    #[directive("{}_cache_lock", default = "off", ignored = NOT_KEPT)]
    pub cache_lock: bool,
    /// After how long another one asks.
    #[directive("{}_cache_lock_age", args(1), ignored = NOT_KEPT)]
    pub cache_lock_age: Option<Vec<String>>,
    /// How long the others wait.
    #[directive("{}_cache_lock_timeout", args(1), ignored = NOT_KEPT)]
    pub cache_lock_timeout: Option<Vec<String>>,
    /// Whether answers are asked for by condition.
    #[directive("{}_cache_revalidate", default = "off", ignored = NOT_KEPT)]
    pub cache_revalidate: bool,
    /// Whether an answer is asked for anew while the old one is given.
    #[directive("{}_cache_background_update", default = "off", ignored = NOT_KEPT)]
    pub cache_background_update: bool,
    /// From where on a range is asked for directly.
    #[directive("{}_cache_max_range_offset", args(1), ignored = NOT_KEPT)]
    pub cache_max_range_offset: Option<Vec<String>>,
}

/// The zones that answers are kept in.
#[derive(Clone, Debug, Directives)]
pub struct CachePaths {
    /// A folder and its zone.
    #[directive("proxy_cache_path", "uwsgi_cache_path", "fastcgi_cache_path", "scgi_cache_path", only(Http), args(2, ..), repeat, ignored = NOT_KEPT)]
    pub paths: Vec<Vec<String>>,
}
