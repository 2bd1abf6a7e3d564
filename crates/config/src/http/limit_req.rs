//! `limit_req`: how often a client may ask.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::http::error_log::Level;
use crate::names::zone::{ZoneId, ZoneUse, sized};
use crate::syntax::Word;
use crate::value::choice::choice;
use crate::value::number;
use crate::value::template::Template;

/// How often a client may ask.
#[derive(Clone, Debug, Directives)]
pub struct LimitReq {
    /// The zone that requests are counted in, how many may come at once beyond its rate (`burst=`),
    /// and how many of those are answered without delay (`delay=`, or `nodelay` for all).
    #[directive("limit_req", repeat, parse = RequestLimit::parse, args(1, 3))]
    pub limits: Vec<RequestLimit>,
    /// The status of a refusal.
    #[directive("limit_req_status", default = "503", range = 400..=599)]
    pub status: u32,
    /// The level at which a refusal is told; a delay is told one level below.
    #[directive("limit_req_log_level", default = "error")]
    pub log_level: LimitLogLevel,
    /// Counts without refusing.
    #[directive("limit_req_dry_run", default = "off")]
    pub dry_run: bool,
}

/// One `limit_req`. Numbers are in thousandths of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLimit {
    /// The zone.
    pub zone: ZoneId,
    /// How many may come at once beyond the rate.
    pub burst: u64,
    /// How many of them are not delayed.
    pub delay: u64,
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

impl LimitLogLevel {
    /// The level of refusals, and that of delays.
    pub fn levels(self) -> (Level, Level) {
        match self {
            Self::Info => (Level::Info, Level::Debug),
            Self::Notice => (Level::Notice, Level::Info),
            Self::Warn => (Level::Warn, Level::Notice),
            Self::Error => (Level::Error, Level::Warn),
        }
    }
}

/// The zones that requests are counted in.
#[derive(Clone, Debug, Directives)]
pub struct LimitReqZones {
    /// What tells clients apart, the zone's name and size, and how many requests a second (`r/s`)
    /// or a minute (`r/m`) each may make. A full zone forgets who has not asked for longest.
    #[directive("limit_req_zone", only(Http), repeat, parse = RequestZone::parse, args(3))]
    pub zones: Vec<RequestZone>,
}

/// One `limit_req_zone`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestZone {
    /// Its number.
    pub id: ZoneId,
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// What tells clients apart.
    pub key: Template,
    /// The same, as written.
    pub key_text: String,
    /// Thousandths of a request a second.
    pub rate: u64,
}

impl RequestLimit {
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let mut zone = None;
        let (mut burst, mut delay) = (0, 0);
        for word in args.words {
            if let Some(name) = word.text.strip_prefix("zone=") {
                zone = Some(cx.names.zones.zone(ZoneUse::Requests, name, word.span)?);
            } else if let Some(value) = word.text.strip_prefix("burst=") {
                burst = thousandths(value, "burst", word)?;
            } else if let Some(value) = word.text.strip_prefix("delay=") {
                delay = thousandths(value, "delay", word)?;
            } else if word.text == "nodelay" {
                delay = u64::MAX;
            } else {
                return Err(Fault::invalid_parameter(word)
                    .hint("zone=name, burst=number, delay=number or nodelay"));
            }
        }
        let zone = zone.ok_or_else(|| without_zone(args))?;
        Ok(Self { zone, burst, delay })
    }
}

fn thousandths(value: &str, what: &str, word: &Word) -> Result<u64, Fault> {
    let number = number::parse(value).filter(|number| *number > 0);
    number.and_then(|number| number.checked_mul(1000)).ok_or_else(|| {
        Fault::sentence(format!("invalid {what} value \"{}\"", word.text)).at(word.span)
    })
}

/// No zone is named.
pub(crate) fn without_zone(args: &Arguments<'_>) -> Fault {
    let name = &args.name.text;
    Fault::sentence(format!("\"{name}\" must have \"zone\" parameter")).at(args.name.span)
}

impl RequestZone {
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let key = Template::compile(args.first(), cx)?;
        let mut zone = None;
        let mut rate = 1000;
        for word in args.from(1) {
            if let Some(value) = word.text.strip_prefix("zone=") {
                zone = Some((sized(value, word)?, word.span));
            } else if let Some(value) = word.text.strip_prefix("rate=") {
                rate = rate_of(value).ok_or_else(|| {
                    Fault::sentence(format!("invalid rate \"{}\"", word.text))
                        .at(word.span)
                        .hint("requests a second or a minute: rate=10r/s, rate=30r/m")
                })?;
            } else {
                return Err(Fault::invalid_parameter(word));
            }
        }
        let ((name, size), span) =
            zone.filter(|((name, _), _)| !name.is_empty()).ok_or_else(|| without_zone(args))?;
        let (id, _) = cx.names.zones.define(ZoneUse::Requests, name, size, span)?;
        let key_text = args.first().text.clone();
        let bind = cx.names.zones.bind(ZoneUse::Requests, id, &key_text);
        bind.map_err(|first| bound(args, name, &first))?;
        Ok(Self { id, name: name.to_owned(), size, key, key_text, rate })
    }
}

/// A zone that has a key already.
pub(crate) fn bound(args: &Arguments<'_>, zone: &str, key: &str) -> Fault {
    let name = &args.name.text;
    let text = format!("{name} \"{zone}\" is already bound to key \"{key}\"");
    Fault::sentence(text).at(args.name.span)
}

fn rate_of(text: &str) -> Option<u64> {
    let (digits, seconds) = match (text.strip_suffix("r/s"), text.strip_suffix("r/m")) {
        (Some(digits), _) => (digits, 1),
        (_, Some(digits)) => (digits, 60),
        _ => (text, 1),
    };
    let number = number::parse(digits).filter(|number| *number > 0)?;
    Some(number.checked_mul(1000)? / seconds)
}
