//! How a group's member is chosen, and what a group remembers.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault, Twice};
use crate::names::zone::{SMALLEST, ZoneUse};
use crate::value::size::Size;
use crate::value::template::Template;

/// How a group's member is chosen.
#[derive(Clone, Debug, Directives)]
pub struct Balance {
    /// Which member is asked: the same for the same client, the same for the same key, one drawn by
    /// lot, the one with the fewest connections, or the one that answers soonest; without a word, each in turn.
    #[directive("ip_hash", only(Upstream), own, parse = Method::ip_hash, args(0))]
    #[directive("hash", only(Upstream), own, parse = Method::hash, args(1, 2))]
    #[directive("random", only(Upstream), own, parse = Method::random, args(0, 2))]
    #[directive("least_time", only(Upstream), own, parse = Method::least_time, args(1, 2), differs = "`inflight` has no effect: requests without an answer count by their number alone")]
    #[directive("least_conn", only(Upstream), own, parse = Method::least_conn, args(0))]
    pub method: Method,
    /// The memory that workers share: they always do here, and it grows as needed.
    #[directive("zone", only(Upstream), own, repeat, parse = zone, args(1, 2))]
    pub zone: Vec<String>,
}

/// The zone's name (nginx: `ngx_http_upstream_zone`).
fn zone(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<String, Fault> {
    let name = args.first();
    if name.text.is_empty() {
        return Err(Fault::sentence("invalid zone name \"\"").at(name.span));
    }
    match args.words.get(1) {
        None => cx.names.zones.zone(ZoneUse::Group, &name.text, name.span).map(|_| ())?,
        Some(word) => {
            let size = Size::parse(&word.text).ok_or_else(|| {
                Fault::sentence(format!("invalid zone size \"{}\"", word.text)).at(word.span)
            })?;
            if size.0 < SMALLEST {
                let text = format!("zone \"{}\" is too small", name.text);
                return Err(Fault::sentence(text).at(word.span).hint("64k is the usual size"));
            }
            cx.names.zones.define(ZoneUse::Group, &name.text, size.0, word.span)?;
        }
    }
    Ok(name.text.clone())
}

/// How the next member is chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Each in turn, by weight.
    #[default]
    RoundRobin,
    /// The one with the fewest connections for its weight.
    LeastConn,
    /// The one that answers soonest, for its connections and its weight.
    LeastTime(Answered),
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
        /// Or the one that answers sooner.
        time: Option<Answered>,
    },
}

/// When a member counts as having answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// `header`: with the head of its answer.
    Header,
    /// `last_byte`: with the end of it.
    LastByte,
}

impl Answered {
    fn of(word: &str) -> Option<Self> {
        match word {
            "header" => Some(Self::Header),
            "last_byte" => Some(Self::LastByte),
            _ => None,
        }
    }
}

impl Method {
    /// Whether members may be marked `backup`.
    pub fn takes_backup(&self) -> bool {
        matches!(self, Self::RoundRobin | Self::LeastConn | Self::LeastTime(_))
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

    fn least_time(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        let when = Answered::of(&word.text).ok_or_else(|| Fault::invalid_value(word))?;
        match args.words.get(1) {
            // Connections in use always count.
            Some(more) if more.text != "inflight" => Err(Fault::invalid_value(more)),
            _ => Ok(Self::LeastTime(when)),
        }
    }

    fn random(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        match args.words {
            [] => Ok(Self::Random { two: false, time: None }),
            [two, ..] if two.text != "two" => {
                Err(Fault::invalid_parameter(two).hint("known: two [least_conn]"))
            }
            [_, by, ..] if by.text != "least_conn" => {
                let when = by.text.strip_prefix("least_time=").and_then(Answered::of);
                let hint = "known: least_conn, least_time=header, least_time=last_byte";
                let fault = || Fault::invalid_parameter(by).hint(hint);
                when.map(|when| Self::Random { two: true, time: Some(when) }).ok_or_else(fault)
            }
            _ => Ok(Self::Random { two: true, time: None }),
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
