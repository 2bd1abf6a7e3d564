//! `limit_conn`: how many connections a client may have.

use tidegate_config_derive::Directives;

use crate::http::limit_req::LimitLogLevel;

/// How many connections a client may have.
#[derive(Clone, Debug, Directives)]
pub struct LimitConn {
    /// The zone and the number.
    #[directive("limit_conn", repeat, args(2), ignored = "connections are not counted yet")]
    pub limits: Vec<Vec<String>>,
    /// The status of a refusal.
    #[directive("limit_conn_status", default = "503", range = 400..=599, ignored = "connections are not counted yet")]
    pub status: u32,
    /// The level at which a refusal is told.
    #[directive(
        "limit_conn_log_level",
        default = "error",
        ignored = "connections are not counted yet"
    )]
    pub log_level: LimitLogLevel,
    /// Counts without refusing.
    #[directive(
        "limit_conn_dry_run",
        default = "off",
        ignored = "connections are not counted yet"
    )]
    pub dry_run: bool,
}

/// The zones that connections are counted in.
#[derive(Clone, Debug, Directives)]
pub struct LimitConnZones {
    /// The key and the zone.
    #[directive(
        "limit_conn_zone",
        only(Http),
        repeat,
        args(2),
        ignored = "connections are not counted yet"
    )]
    pub zones: Vec<Vec<String>>,
}
