//! `keepalive`: idle connections to a group's members.

use std::time::Duration;

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::value::number;

/// Idle connections to a group's members.
#[derive(Clone, Debug, Directives)]
pub struct UpstreamKeepalive {
    /// How many idle connections each worker keeps; 0 is none. With `local` each location has its own.
    #[directive("keepalive", only(Upstream), default = "32", parse = connections, args(1, 2))]
    pub connections: Connections,
    /// How many requests one connection may carry.
    #[directive("keepalive_requests", only(Upstream), default = "1000")]
    pub requests: u32,
    /// How old a connection may get.
    #[directive("keepalive_time", only(Upstream), default = "1h")]
    pub time: Duration,
    /// How long a connection may be idle.
    #[directive("keepalive_timeout", only(Upstream), default = "60s")]
    pub timeout: Duration,
}

/// Idle connections of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// How many a worker keeps.
    pub most: u32,
    /// `local`: only requests of the same location use one again.
    pub local: bool,
}

fn connections(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Connections, Fault> {
    let word = args.first();
    let number = number::parse(&word.text).and_then(|number| u32::try_from(number).ok());
    match args.words.get(1) {
        Some(local) if local.text != "local" => Err(Fault::invalid_parameter(local)),
        local => number.map(|most| Connections { most, local: local.is_some() }).ok_or_else(|| {
            Fault::sentence(format!("invalid value \"{}\" in \"keepalive\" directive", word.text))
                .at(word.span)
        }),
    }
}
