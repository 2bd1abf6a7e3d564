//! How a group's member is chosen, and what a group remembers.

use std::time::Duration;

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};

/// How a group's member is chosen.
#[derive(Clone, Debug, Directives)]
pub struct Balance {
    /// The same client asks the same member.
    #[directive("ip_hash", only(Upstream), own, parse = on, args(0), differs = "members are asked in turn")]
    pub ip_hash: bool,
    /// The member with the fewest connections is asked.
    #[directive("least_conn", only(Upstream), own, parse = on, args(0), differs = "members are asked in turn")]
    pub least_conn: bool,
    /// The same key asks the same member.
    #[directive("hash", only(Upstream), own, args(1, 2), differs = "members are asked in turn")]
    pub hash: Option<Vec<String>>,
    /// A member is drawn by lot.
    #[directive("random", only(Upstream), own, args(0, 2), differs = "members are asked in turn")]
    pub random: Option<Vec<String>>,
    /// The memory that workers share.
    #[directive(
        "zone",
        only(Upstream),
        own,
        args(1, 2),
        ignored = "workers always share a group's state"
    )]
    pub zone: Option<Vec<String>>,
    /// The name servers.
    #[directive("resolver", only(Upstream), own, args(1, ..), differs = "names are resolved by the system's resolver")]
    pub resolver: Option<Vec<String>>,
    /// How long an address is waited for.
    #[directive(
        "resolver_timeout",
        only(Upstream),
        own,
        default = "30s",
        ignored = "the system's resolver has a time of its own"
    )]
    pub resolver_timeout: Duration,
}

fn on(_: &Arguments<'_>, _: &mut Cx<'_>) -> Result<bool, Fault> {
    Ok(true)
}
