//! How a group's member is chosen, and what a group remembers.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault, Twice};
use crate::value::template::Template;

/// How a group's member is chosen.
#[derive(Clone, Debug, Directives)]
pub struct Balance {
    /// Which member is asked: the same for the same client, the same for the same key, one drawn by
    /// lot, or the one with the fewest connections; without a word, each in turn.
    #[directive("ip_hash", only(Upstream), own, parse = Method::ip_hash, args(0))]
    #[directive("hash", only(Upstream), own, parse = Method::hash, args(1, 2))]
    #[directive("random", only(Upstream), own, parse = Method::random, args(0, 2))]
    #[directive("least_conn", only(Upstream), own, parse = Method::least_conn, args(0))]
    pub method: Method,
    /// The memory that workers share.
    #[directive(
        "zone",
        only(Upstream),
        own,
        args(1, 2),
        ignored = "workers always share a group's state"
    )]
    pub zone: Option<Vec<String>>,
}

/// How the next member is chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Each in turn, by weight.
    #[default]
    RoundRobin,
    /// The one with the fewest connections for its weight.
    LeastConn,
    /// By the client's address.
    IpHash,
    /// By a key.
    Hash {
        /// The key.
        key: Template,
        /// Few keys move when members come and go.
        consistent: bool,
    },
    /// By lot.
    Random {
        /// The less busy of two that are drawn.
        two: bool,
    },
}

impl Method {
    /// Whether members may be marked `backup`.
    pub fn takes_backup(&self) -> bool {
        matches!(self, Self::RoundRobin | Self::LeastConn)
    }

    fn ip_hash(_: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        Ok(Self::IpHash)
    }

    fn least_conn(_: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        Ok(Self::LeastConn)
    }

    fn hash(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let key = Template::compile(args.first(), cx)?;
        match args.from(1) {
            [] => Ok(Self::Hash { key, consistent: false }),
            [word] if word.text == "consistent" => Ok(Self::Hash { key, consistent: true }),
            [word, ..] => Err(Fault::invalid_parameter(word).hint("known: consistent")),
        }
    }

    fn random(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        match args.words {
            [] => Ok(Self::Random { two: false }),
            [two, ..] if two.text != "two" => {
                Err(Fault::invalid_parameter(two).hint("known: two [least_conn]"))
            }
            [_, by, ..] if by.text != "least_conn" => {
                Err(Fault::invalid_parameter(by).hint("known: least_conn"))
            }
            _ => Ok(Self::Random { two: true }),
        }
    }
}

impl Twice for Method {
    fn twice(&self, args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<(), Fault> {
        let text = "load balancing method redefined";
        cx.warn(text, args.name.span, "keep one of the two; the last one holds");
        Ok(())
    }
}
