//! `limit_req`: how often a client may ask.

use tidegate_config_derive::Directives;

use crate::value::choice::choice;

/// How often a client may ask.
#[derive(Clone, Debug, Directives)]
pub struct LimitReq {
    /// The zone, the burst and the delay.
    #[directive("limit_req", repeat, args(1, 3), ignored = "requests are not counted yet")]
    pub limits: Vec<Vec<String>>,
    /// The status of a refusal.
    #[directive("limit_req_status", default = "503", range = 400..=599, ignored = "requests are not counted yet")]
    pub status: u32,
    /// The level at which a refusal is told.
    #[directive(
        "limit_req_log_level",
        default = "error",
        ignored = "requests are not counted yet"
    )]
    pub log_level: LimitLogLevel,
    /// Counts without refusing.
    #[directive("limit_req_dry_run", default = "off", ignored = "requests are not counted yet")]
    pub dry_run: bool,
}

choice! {
    /// The level at which a refusal is told.
    pub enum LimitLogLevel {
        /// Info.
        Info = "info",
        /// Notice.
        Notice = "notice",
        /// Warn.
        Warn = "warn",
        /// Error.
        Error = "error",
    }
}

/// The zones that requests are counted in.
#[derive(Clone, Debug, Directives)]
pub struct LimitReqZones {
    /// The key, the zone and the rate.
    #[directive(
        "limit_req_zone",
        only(Http),
        repeat,
        args(3),
        ignored = "requests are not counted yet"
    )]
    pub zones: Vec<Vec<String>>,
}
