//! `server`: a virtual server.

mod names;

use std::sync::Arc;

use tidegate_config_derive::Block;

pub use names::{FoundName, NameTable};

use super::location::{Location, LocationDraft};
use crate::directive::{
    Arguments, Block as _, Context, Cx, Fault, Nesting, Owner, Table, judge, report,
};
use crate::http::client_header::ClientHeader;
use crate::http::http2::Http2;
use crate::http::listen::Listen;
use crate::http::server_name::ServerName;
use crate::http::ssl::Ssl;
use crate::source::Span;
use crate::syntax::Statement;

/// A virtual server.
#[derive(Clone, Debug)]
pub struct Server {
    /// What is said of it and of nothing within it.
    pub settings: ServerSettings,
    /// What holds before a location is found, and the locations.
    pub location: Location,
    /// Where it is written.
    pub span: Span,
}

/// What is said of a server and of nothing within it.
#[derive(Clone, Debug, Block)]
pub struct ServerSettings {
    /// Where its connections are taken.
    pub listen: Arc<Listen>,
    /// The names it answers for.
    pub server_name: Arc<ServerName>,
    /// The limits of a request's head.
    pub client_header: Arc<ClientHeader>,
    /// Encryption.
    pub ssl: Arc<Ssl>,
    /// HTTP/2.
    pub http2: Arc<Http2>,
}

impl Server {
    /// Its first name, as `$server_name` gives it, without a dot in front; empty where it has none.
    pub fn name(&self) -> &str {
        let mut names = self.settings.server_name.names.iter().flat_map(|names| &names.0);
        let name = names.next().map(|name| name.text.as_str()).unwrap_or_default();
        name.strip_prefix('.').unwrap_or(name)
    }
}

/// A server as written.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServerDraft {
    pub(crate) written: ServerSettingsWritten,
    pub(crate) location: LocationDraft,
    span: Span,
}

impl ServerDraft {
    /// Reads a `server` block.
    pub(crate) fn read(
        table: &Table,
        statement: &Statement,
        body: &[Statement],
        cx: &mut Cx<'_>,
    ) -> Self {
        let mut draft = Self { span: statement.name.span, ..Self::default() };
        for statement in body {
            let Some(owner) = judge(table, statement, Context::Server, cx) else { continue };
            if let Err(fault) = draft.take(table, (owner, Context::Server), statement, cx) {
                report(&fault, statement, cx);
            }
        }
        draft
    }

    /// Takes note of one statement of a server or, at the level of http, of all servers.
    pub(crate) fn take(
        &mut self,
        table: &Table,
        (owner, context): (Owner, Context),
        statement: &Statement,
        cx: &mut Cx<'_>,
    ) -> Result<(), Fault> {
        match owner {
            Owner::Server(key) => {
                let args = Arguments { name: &statement.name, words: &statement.args };
                ServerSettings::set(&mut self.written, key, &args, cx)
            }
            _ => self.location.take(table, (owner, context), statement, cx),
        }
    }

    /// What holds in it, within what holds around it.
    pub(crate) fn resolve(
        &self,
        around: Option<&Server>,
        location: Option<&Location>,
        cx: &mut Cx<'_>,
    ) -> Result<Server, Fault> {
        let around = around.map(|server| &server.settings);
        let settings = ServerSettings::resolve(&self.written, around, Nesting::Level, cx)?;
        let location = self.location.resolve(location, Nesting::Level, cx);
        let location = location.map_err(|fault| fault.within(self.span))?;
        Ok(Server { settings, location, span: self.span })
    }
}
