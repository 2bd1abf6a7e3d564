//! `resolver`: who is asked for addresses.

use std::time::Duration;

use tidegate_config_derive::Directives;

/// Who is asked for addresses.
#[derive(Clone, Debug, Directives)]
pub struct Resolver {
    /// The name servers.
    #[directive("resolver", args(1, ..), differs = "names are resolved by the system's resolver")]
    pub servers: Option<Vec<String>>,
    /// How long an address is waited for.
    #[directive(
        "resolver_timeout",
        default = "30s",
        ignored = "the system's resolver has a time of its own"
    )]
    pub timeout: Duration,
}
