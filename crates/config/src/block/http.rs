//! `http`: servers, groups of upstreams, maps.

mod charset_map;
mod geo;
mod health_check;
mod map;
mod socket;
mod split_clients;

use std::path::PathBuf;
use std::sync::Arc;

use tidegate_config_derive::Block;

pub use socket::Socket;

use super::location::Location;
use super::server::{Server, ServerDraft};
use super::upstream::{self, Upstream, UpstreamDraft};
use super::{Main, Opens};
use crate::diagnostic::Diagnostic;
use crate::directive::{
    Arguments, Block as _, Context, Cx, Fault, Nesting, Owner, Table, judge, report,
};
use crate::http::buffers;
use crate::http::charset::CharsetMap;
use crate::http::geo::Geo;
use crate::http::health_check::expected::Expected;
use crate::http::limit_conn::LimitConnZones;
use crate::http::limit_req::LimitReqZones;
use crate::http::log::{LogFormat, LogFormats};
use crate::http::map::{Map, MapHash};
use crate::http::proxy_cache::CachePaths;
use crate::http::referer;
use crate::http::server_name::ServerNamesHash;
use crate::http::split_clients::SplitClients;
use crate::http::ssl;
use crate::http::syslog::SyslogServer;
use crate::names::{Definition, FormatId};
use crate::syntax::Statement;
use crate::variable::Slot;

/// Everything about HTTP.
#[derive(Clone, Debug, Block)]
pub struct Http {
    /// Formats of log lines, as written.
    pub log_formats: Arc<LogFormats>,
    /// Sizes of tables.
    pub map_hash: Arc<MapHash>,
    /// Sizes of tables.
    pub server_names_hash: Arc<ServerNamesHash>,
    /// Zones.
    pub limit_req_zones: Arc<LimitReqZones>,
    /// Zones.
    pub limit_conn_zones: Arc<LimitConnZones>,
    /// Zones.
    pub cache_paths: Arc<CachePaths>,
    /// The servers, as written.
    #[plain]
    pub servers: Vec<Server>,
    /// The addresses that are listened on, each with its servers.
    #[plain]
    pub sockets: Vec<Socket>,
    /// The groups of upstreams; a [`Group`](crate::names::Group) is a place in here.
    #[plain]
    pub upstreams: Vec<Upstream>,
    /// The maps.
    #[plain]
    pub maps: Vec<Map>,
    /// The `geo` blocks.
    #[plain]
    pub geos: Vec<Geo>,
    /// The `split_clients` blocks.
    #[plain]
    pub splits: Vec<SplitClients>,
    /// The `charset_map` blocks.
    #[plain]
    pub charset_maps: Vec<CharsetMap>,
    /// The `match` blocks.
    #[plain]
    pub matches: Vec<Expected>,
    /// The formats of log lines; a [`FormatId`] is a place in here.
    #[plain]
    pub formats: Vec<LogFormat>,
    /// The files that lines are written to; a [`FileId`](crate::names::FileId) is a place in here.
    #[plain]
    pub files: Vec<PathBuf>,
    /// The servers that lines are sent to; a [`SyslogId`](crate::http::syslog::SyslogId) is a place
    /// in here.
    #[plain]
    pub syslogs: Vec<SyslogServer>,
    /// The folders for temporary files, which are made where they lack.
    #[plain]
    pub folders: Vec<PathBuf>,
    /// The variables that the configuration defines; a [`Slot`] is a place in here.
    #[plain]
    pub slots: Vec<SlotInfo>,
}

/// A variable that the configuration defines.
#[derive(Clone, Debug)]
pub struct SlotInfo {
    /// Its name.
    pub name: String,
    /// How it comes by its value.
    pub definition: Definition,
}

impl Http {
    /// How a variable comes by its value.
    pub fn definition(&self, slot: Slot) -> Definition {
        self.slots.get(slot.0).map_or(Definition::Assigned, |slot| slot.definition)
    }

    /// A format of log lines.
    pub fn format(&self, id: FormatId) -> Option<&LogFormat> {
        self.formats.get(id.0)
    }
}

/// The `http` block as written.
#[derive(Clone, Debug, Default)]
pub(crate) struct HttpDraft {
    written: HttpWritten,
    all: ServerDraft,
    servers: Vec<ServerDraft>,
    upstreams: Vec<UpstreamDraft>,
    maps: Vec<Map>,
    geos: Vec<Geo>,
    splits: Vec<SplitClients>,
    charset_maps: Vec<CharsetMap>,
    matches: Vec<Expected>,
}

impl HttpDraft {
    /// Reads the `http` block.
    pub(crate) fn read(table: &Table, body: &[Statement], cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let mut draft = Self::default();
        let combined = LogFormat::combined(cx)?;
        draft.written.log_formats.formats.push(combined);
        for statement in body {
            let Some(owner) = judge(table, statement, Context::Http, cx) else { continue };
            if let Err(fault) = draft.take(table, owner, statement, cx) {
                report(&fault, statement, cx);
            }
        }
        Ok(draft)
    }

    fn take(
        &mut self,
        table: &Table,
        owner: Owner,
        statement: &Statement,
        cx: &mut Cx<'_>,
    ) -> Result<(), Fault> {
        let body = statement.body();
        match owner {
            Owner::Http(key) => {
                let args = Arguments { name: &statement.name, words: &statement.args };
                Http::set(&mut self.written, key, &args, cx)
            }
            Owner::Block(Opens::Server) => {
                self.servers.push(ServerDraft::read(table, statement, body, cx));
                Ok(())
            }
            Owner::Block(Opens::Upstream) => {
                self.upstreams.extend(upstream::read(table, statement, body, cx));
                Ok(())
            }
            Owner::Block(Opens::Map) => {
                let number = self.maps.len();
                self.maps.push(map::read(number, statement, body, cx)?);
                Ok(())
            }
            Owner::Block(Opens::Geo) => {
                let number = self.geos.len();
                self.geos.push(geo::read(number, statement, body, cx)?);
                Ok(())
            }
            Owner::Block(Opens::SplitClients) => {
                let number = self.splits.len();
                self.splits.push(split_clients::read(number, statement, body, cx)?);
                Ok(())
            }
            Owner::Block(Opens::CharsetMap) => {
                let map = charset_map::read(&self.charset_maps, statement, body, cx)?;
                self.charset_maps.push(map);
                Ok(())
            }
            Owner::Block(Opens::Match) => {
                self.matches.push(health_check::read(&self.matches, statement, body, cx)?);
                Ok(())
            }
            _ => self.all.take(table, (owner, Context::Http), statement, cx),
        }
    }

    /// What holds at every level.
    pub(crate) fn resolve(&self, main: &Main, cx: &mut Cx<'_>) -> Result<Http, Fault> {
        let mut http = Http::resolve(&self.written, None, Nesting::Level, cx)?;
        let mut all = self.all.clone();
        if all.location.written.error_log.targets.is_empty() {
            all.location.written.error_log.targets.clone_from(&main.error_log.targets);
        }
        let written = cx.names.files().len();
        let around = all.resolve(None, None, cx)?;
        for draft in &self.servers {
            http.servers.push(draft.resolve(Some(&around), Some(&around.location), cx)?);
        }
        http.sockets = socket::all(&http.servers, cx);
        ssl::check::check(&http.servers, &http.sockets, cx);
        buffers::check(&http.servers, cx);
        referer::check(&http.servers, cx);
        http.upstreams = upstream::resolve_all(&self.upstreams, &around.location.resolver, cx)?;
        http.maps.clone_from(&self.maps);
        http.geos.clone_from(&self.geos);
        http.splits.clone_from(&self.splits);
        http.charset_maps.clone_from(&self.charset_maps);
        http.matches.clone_from(&self.matches);
        health_check::check(&http, cx);
        check_charsets(&http, cx);
        let mut formats: Vec<Option<LogFormat>> = vec![None; cx.names.format_count()];
        for format in &http.log_formats.formats {
            if let Some(place) = formats.get_mut(format.id.0) {
                *place = Some(format.clone());
            }
        }
        http.formats = formats.into_iter().flatten().collect();
        http.files = cx.names.files().to_vec();
        // The access log that holds where nothing is said is not opened unless it holds somewhere.
        let unsaid = |location: &Location| location.log.files().any(|file| file.0 >= written);
        if !http.servers.iter().any(|server| server.location.any(&unsaid)) {
            http.files.truncate(written);
        }
        http.syslogs.clone_from(&cx.names.syslogs);
        http.folders = cx.names.folders().to_vec();
        http.slots = cx
            .names
            .slots()
            .iter()
            .map(|slot| SlotInfo {
                name: slot.name.clone(),
                definition: slot.definition.unwrap_or(Definition::Assigned),
            })
            .collect();
        Ok(http)
    }
}

/// What is to be converted needs a map (nginx: `ngx_http_charset_postconfiguration`).
fn check_charsets(http: &Http, cx: &mut Cx<'_>) {
    let lacking = std::cell::RefCell::new(Vec::new());
    for server in &http.servers {
        server.location.any(&|location| {
            lacking.borrow_mut().extend(location.charset.lacks_map(&http.charset_maps));
            false
        });
    }
    let mut lacking = lacking.into_inner();
    lacking.sort_unstable();
    lacking.dedup();
    for (from, to) in lacking {
        let text = format!("no \"charset_map\" between the charsets \"{from}\" and \"{to}\"");
        cx.diagnostics.push(Diagnostic::emerg(text));
    }
}
