//! Who a `*_pass` means: a group of the configuration, or what a variable says.

use std::borrow::Cow;
use std::sync::Arc;

use tidegate_config::block::location::LocationName;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::pass::{Destination, Pass, Protocol};
use tidegate_config::http::resolver::Resolver;
use tidegate_config::http::upstream::balance::Method;
use tidegate_config::value::address::{Address, Form, Target};
use tidegate_http::exchange::Exchange;
use tidegate_http::stop::Stop;

use crate::redirect;
use crate::upstream::group::{Description, Group, Server};
use crate::upstream::resolve::Names;
use crate::upstream::{Upstreams, keepalive, peer, place};

/// Who is asked, and what is known of it by name: `'c` is the configuration, `'u` the groups.
///
/// All of it is borrowed where the configuration says it, for all workers count who holds its texts.
pub(crate) struct Found<'c, 'u> {
    /// The group.
    pub(crate) group: Cow<'u, Arc<Group>>,
    /// Whether it is asked over TLS.
    pub(crate) tls: bool,
    /// `$proxy_host`
    pub(crate) host: Cow<'c, [u8]>,
    /// `$proxy_port`
    pub(crate) port: Cow<'c, [u8]>,
    /// What stands behind the host.
    pub(crate) uri: Uri<'c>,
    /// What `proxy_redirect default` means.
    pub(crate) redirect: Option<redirect::Default<'c>>,
}

/// The URI of a `proxy_pass`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Uri<'c> {
    /// There is none.
    None,
    /// It stands for the location's name.
    Prefix(Cow<'c, str>),
    /// It came out of variables and is sent as it is.
    Exact(String),
}

/// Finds who is meant; a text of variables that means nobody is told, and ends the request.
pub(crate) fn find<'c, 'u>(
    ex: &mut Exchange<'c>,
    pass: &'c Pass,
    upstreams: &'u Upstreams,
) -> Result<Found<'c, 'u>, Stop> {
    match &pass.to {
        Destination::Variable(template) => {
            let text = ex.render(template);
            let text = String::from_utf8_lossy(&text).into_owned();
            by_text(&text, pass, &ex.location.resolver, upstreams).map_err(|reason| {
                ex.log(Level::Error, &reason);
                Stop::Status(500)
            })
        }
        Destination::Group { group, host, port, uri } => {
            let group = upstreams.get(*group).ok_or(Stop::Status(500))?;
            let host = host.strip_suffix(default_suffix(pass)).unwrap_or(host);
            let scheme = if pass.tls { "https" } else { "http" };
            let location: &[u8] = match &ex.location.name {
                LocationName::Prefix { prefix, .. } => prefix,
                LocationName::Exact(name) => name,
                _ => b"",
            };
            let written = uri.as_deref();
            let redirect = redirect::Default { scheme, host, uri: written, location };
            let uri = match written {
                None => Uri::None,
                // `http://app?x` means `http://app/?x`.
                Some(uri) if uri.starts_with('?') => Uri::Prefix(format!("/{uri}").into()),
                Some(uri) => Uri::Prefix(uri.into()),
            };
            Ok(Found {
                group: Cow::Borrowed(group),
                tls: pass.tls,
                host: host.as_bytes().into(),
                port: port.as_bytes().into(),
                uri,
                redirect: Some(redirect),
            })
        }
    }
}

/// A port that goes without saying is not said.
fn default_suffix(pass: &Pass) -> &'static str {
    if pass.tls { ":443" } else { ":80" }
}

/// What a text of variables means (nginx: `ngx_http_proxy_eval`, `ngx_http_uwsgi_eval`).
fn by_text<'c, 'u>(
    text: &str,
    pass: &Pass,
    resolver: &Resolver,
    upstreams: &'u Upstreams,
) -> Result<Found<'c, 'u>, String> {
    let strip = |scheme: &str| {
        let (head, rest) = text.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    let (tls, rest, default_port) = match pass.protocol {
        Protocol::Http => match (strip("http://"), strip("https://")) {
            (Some(rest), _) => (false, rest, 80),
            (None, Some(rest)) => (true, rest, 443),
            (None, None) => return Err(format!("invalid URL prefix in \"{text}\"")),
        },
        Protocol::Grpc => match strip("grpcs://") {
            Some(rest) => (true, rest, 443),
            None => (pass.tls, strip("grpc://").unwrap_or(text), 0),
        },
        Protocol::Uwsgi => match strip("suwsgi://") {
            Some(rest) => (true, rest, 0),
            None => (pass.tls, strip("uwsgi://").unwrap_or(text), 0),
        },
        Protocol::Fastcgi | Protocol::Scgi => (pass.tls, text, 0),
    };
    let target = Target::parse(rest, default_port, Form::Pass)
        .map_err(|error| format!("{error} in upstream \"{text}\""))?;
    let authority = rest.strip_suffix(target.uri.as_str()).unwrap_or(rest);
    let uri = match target.uri.as_str() {
        "" => Uri::None,
        uri if uri.starts_with('?') => Uri::Exact(format!("/{uri}")),
        uri => Uri::Exact(uri.to_owned()),
    };
    let group = match upstreams.named(authority) {
        Some(group) => Cow::Borrowed(group),
        None => Cow::Owned(single(authority, (&target.address, default_port), resolver)?),
    };
    let port = match &target.address {
        Address::Unix(_) => None,
        Address::Ip(address) => Some(address.port()),
        Address::Host { port, .. } => Some(port.unwrap_or(default_port)),
    };
    let suffix = format!(":{default_port}");
    let host = match port {
        None => "localhost",
        Some(_) => authority.strip_suffix(&suffix).unwrap_or(authority),
    };
    Ok(Found {
        group,
        tls,
        host: host.as_bytes().to_vec().into(),
        port: port.map(|port| port.to_string()).unwrap_or_default().into_bytes().into(),
        uri,
        redirect: None,
    })
}

/// A group of one server, for one request.
fn single(
    name: &str,
    (address, default_port): (&Address, u16),
    resolver: &Resolver,
) -> Result<Arc<Group>, String> {
    if default_port == 0 && matches!(address, Address::Host { port: None, .. }) {
        return Err(format!("no port in upstream \"{name}\""));
    }
    let server = Server {
        name: name.to_owned(),
        place: place(address, default_port),
        settings: peer::Settings::default(),
        backup: false,
    };
    let keepalive = keepalive::Settings { connections: 0, ..keepalive::Settings::default() };
    let (name, servers, method) = (name.to_owned(), vec![server], Method::RoundRobin);
    let resolver = Names(resolver.clone());
    let group =
        Description { name, servers, method, keepalive, resolver, sticky: None, queue: None };
    Ok(Arc::new(Group::new(group)))
}
