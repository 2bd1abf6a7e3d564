//! `upstream`: a group of servers that requests are forwarded to.

use std::collections::HashMap;
use std::sync::Arc;

use tidegate_config_derive::Block;

use crate::directive::Arguments;
use crate::directive::{Block as _, Context, Cx, Fault, Nesting, Owner, Table, judge, report};
use crate::http::resolver::{Resolver, UpstreamResolver};
use crate::http::upstream::balance::{Balance, Method};
use crate::http::upstream::keepalive::UpstreamKeepalive;
use crate::http::upstream::queue::UpstreamQueue;
use crate::http::upstream::server::{Servers, UpstreamServer, members};
use crate::http::upstream::sticky::Stickiness;
use crate::names::GroupName;
use crate::syntax::{Statement, Word};
use crate::value::address::{Address, Form, Target};

/// A group of servers.
#[derive(Clone, Debug, Block)]
pub struct Upstream {
    /// Its members.
    pub servers: Arc<Servers>,
    /// How one is chosen.
    pub balance: Arc<Balance>,
    /// Idle connections to them.
    pub keepalive: Arc<UpstreamKeepalive>,
    /// Who is asked for their addresses, where it is not who is asked elsewhere.
    pub own_resolver: Arc<UpstreamResolver>,
    /// Requests that wait for them.
    pub queue: Arc<UpstreamQueue>,
    /// How a client is kept with one of them.
    pub stickiness: Arc<Stickiness>,
    /// Its name; for a host that is asked directly, the host.
    #[plain]
    pub name: String,
    /// Whether it is an `upstream` block, not a host that is asked directly.
    #[plain]
    pub defined: bool,
    /// The port of members that name none.
    #[plain]
    pub default_port: Option<u16>,
    /// Who is asked for the addresses of members.
    #[plain]
    pub resolver: Option<Resolver>,
}

/// Reads an `upstream` block.
pub(crate) fn read(
    table: &Table,
    statement: &Statement,
    body: &[Statement],
    cx: &mut Cx<'_>,
) -> Option<UpstreamDraft> {
    let word = statement.args.first()?;
    if let Err(fault) = cx.names.define_group(word) {
        report(&fault, statement, cx);
        return None;
    }
    if word.text.contains(':') && !word.text.starts_with("unix:") {
        let text = format!("upstream \"{}\" is never asked for", word.text);
        cx.warn(text, word.span, "a name with a port is a host's: leave the port to its servers");
    }
    let mut written = UpstreamWritten::default();
    for statement in body {
        if let Some(Owner::Upstream(key)) = judge(table, statement, Context::Upstream, cx) {
            let args = Arguments { name: &statement.name, words: &statement.args };
            let set = Upstream::set(&mut written, key, &args, cx);
            if let Err(fault) = set.and_then(|()| allow_backup(&written, &args)) {
                report(&fault, statement, cx);
            }
        }
    }
    if let Err(fault) = changed(&mut written, word, cx) {
        report(&fault, statement, cx);
    }
    let (servers, state) = (&written.servers.servers, &written.servers.state);
    if state.is_some() && !servers.is_empty() {
        let fault = Fault::sentence("\"state\" stands in place of \"server\"")
            .hint("say the servers in one of the two: here, or in the file");
        report(&fault, statement, cx);
    } else if state.is_some() {
        // The file may be empty, or not there yet.
    } else if written.servers.servers.is_empty() {
        let fault = Fault::sentence("no servers are inside upstream")
            .hint(format!("add `server address:port;` to `{}`", word.text));
        report(&fault, statement, cx);
    } else if written.servers.servers.iter().all(|server| server.backup) {
        let fault = Fault::sentence(format!("no servers in upstream \"{}\"", word.text))
            .hint("every one is marked `backup`: take the word away from those to be asked first");
        report(&fault, statement, cx);
    }
    Some(UpstreamDraft { name: word.text.clone(), written })
}

/// Takes over the servers that were said while the server runs.
fn changed(written: &mut UpstreamWritten, word: &Word, cx: &mut Cx<'_>) -> Result<(), Fault> {
    let Some(lines) = cx.files.servers(&word.text) else { return Ok(()) };
    let servers = members(&lines, "what was changed", word, cx)?;
    let takes_backup = written.balance.method.as_ref().is_none_or(Method::takes_backup);
    if !takes_backup && servers.iter().any(|server| server.backup) {
        let text = "balancing method does not support parameter \"backup\"";
        return Err(Fault::sentence(text).at(word.span));
    }
    match &mut written.servers.state {
        Some(Some(state)) => state.servers = servers,
        _ => written.servers.servers = servers,
    }
    Ok(())
}

/// Refuses a `backup` that stands behind a method which has no use for one.
fn allow_backup(written: &UpstreamWritten, args: &Arguments<'_>) -> Result<(), Fault> {
    let backup = args.words.iter().find(|word| args.name.text == "server" && word.text == "backup");
    match (backup, &written.balance.method) {
        (Some(backup), Some(method)) if !method.takes_backup() => {
            Err(Fault::sentence("balancing method does not support parameter \"backup\"")
                .at(backup.span)
                .hint("take it away, or balance by `least_conn` or in turn"))
        }
        _ => Ok(()),
    }
}

/// An `upstream` block as written.
#[derive(Clone, Debug)]
pub(crate) struct UpstreamDraft {
    name: String,
    written: UpstreamWritten,
}

/// All groups, by their numbers: those that are defined, and hosts that are asked directly.
pub(crate) fn resolve_all(
    drafts: &[UpstreamDraft],
    resolver: &Resolver,
    cx: &mut Cx<'_>,
) -> Result<Vec<Upstream>, Fault> {
    let names = cx.names.groups().to_vec();
    let mut by_name: HashMap<String, &UpstreamDraft> = HashMap::new();
    for draft in drafts {
        by_name.entry(draft.name.to_ascii_lowercase()).or_insert(draft);
    }
    let mut groups = Vec::with_capacity(names.len());
    for group in &names {
        let draft = by_name.get(&group.name.to_ascii_lowercase());
        let draft = draft.copied().filter(|_| group.defined.is_some());
        let mut group = resolve(draft, group, cx)?;
        let own = &group.own_resolver;
        group.resolver = Some(Resolver {
            servers: own.servers.clone().or_else(|| resolver.servers.clone()),
            timeout: own.timeout.unwrap_or(resolver.timeout),
        });
        groups.push(group);
    }
    Ok(groups)
}

fn resolve(
    draft: Option<&UpstreamDraft>,
    group: &GroupName,
    cx: &mut Cx<'_>,
) -> Result<Upstream, Fault> {
    let mut written = draft.map(|draft| draft.written.clone()).unwrap_or_default();
    if draft.is_none() {
        written.servers.servers.extend(direct(group));
    }
    let mut upstream = Upstream::resolve(&written, None, Nesting::Level, cx)?;
    if let Some(state) = upstream.servers.state.clone() {
        Arc::make_mut(&mut upstream.servers).servers.extend(state.servers);
    }
    upstream.name.clone_from(&group.name);
    upstream.defined = draft.is_some();
    upstream.default_port = group.default_port;
    Ok(upstream)
}

/// The one member of a group that is a host asked for directly.
fn direct(group: &GroupName) -> Option<UpstreamServer> {
    let target = Target::parse(&group.name, group.default_port.unwrap_or(0), Form::Server).ok()?;
    let address = match target.address {
        Address::Host { host, .. } => {
            Address::Host { host, port: group.port.or(group.default_port) }
        }
        address => address,
    };
    let text = match group.port {
        Some(port) => format!("{}:{port}", group.name),
        None => group.name.clone(),
    };
    Some(UpstreamServer::new(&text, address))
}
