//! `limit_conn`: how many connections a client may have.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::http::limit_req::{LimitLogLevel, bound, without_zone};
use crate::names::zone::{ZoneId, ZoneUse, sized};
use crate::value::number;
use crate::value::template::Template;

/// How many connections a client may have.
#[derive(Clone, Debug, Directives)]
pub struct LimitConn {
    /// The zone that connections are counted in, and how many of a client may be busy at a time.
    #[directive("limit_conn", repeat, parse = ConnectionLimit::parse, args(2))]
    pub limits: Vec<ConnectionLimit>,
    /// The status of a refusal.
    #[directive("limit_conn_status", default = "503", range = 400..=599)]
    pub status: u32,
    /// The level at which a refusal is told.
    #[directive("limit_conn_log_level", default = "error")]
    pub log_level: LimitLogLevel,
    /// Counts without refusing.
    #[directive("limit_conn_dry_run", default = "off")]
    pub dry_run: bool,
}

/// One `limit_conn`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionLimit {
    /// The zone.
    pub zone: ZoneId,
    /// How many connections.
    pub most: u32,
}

/// The zones that connections are counted in.
#[derive(Clone, Debug, Directives)]
pub struct LimitConnZones {
    /// What tells clients apart, and the zone's name and size. Who does not fit into a full zone is
    /// refused.
    #[directive("limit_conn_zone", only(Http), repeat, parse = ConnectionZone::parse, args(2))]
    pub zones: Vec<ConnectionZone>,
}

/// One `limit_conn_zone`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionZone {
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
}

impl ConnectionLimit {
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let (name, number) = (args.first(), args.at(1));
        let zone = cx.names.zones.zone(ZoneUse::Connections, &name.text, name.span)?;
        let most = number::parse(&number.text).filter(|number| *number > 0).ok_or_else(|| {
            Fault::sentence(format!("invalid number of connections \"{}\"", number.text))
                .at(number.span)
        })?;
        let most = u32::try_from(most).ok().filter(|most| *most <= 65535).ok_or_else(|| {
            Fault::sentence("connection limit must be less 65536").at(number.span)
        })?;
        Ok(Self { zone, most })
    }
}

impl ConnectionZone {
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let key = Template::compile(args.first(), cx)?;
        let word = args.at(1);
        let value = word
            .text
            .strip_prefix("zone=")
            .ok_or_else(|| Fault::invalid_parameter(word).hint("zone=name:size"))?;
        let (name, size) = sized(value, word)?;
        if name.is_empty() {
            return Err(without_zone(args));
        }
        let (id, _) = cx.names.zones.define(ZoneUse::Connections, name, size, word.span)?;
        let key_text = args.first().text.clone();
        let bind = cx.names.zones.bind(ZoneUse::Connections, id, &key_text);
        bind.map_err(|first| bound(args, name, &first))?;
        Ok(Self { id, name: name.to_owned(), size, key, key_text })
    }
}
