//! A request made ready for an upstream, and what is known of it before it is sent.

use std::borrow::Cow;

use bytes::Bytes;
use tidegate_config::http::forward::Forward;
use tidegate_config::http::pass::{Pass, Protocol};
use tidegate_http::exchange::Exchange;
use tidegate_http::stop::Stop;

use crate::content::{self, Content};
use crate::destination::{self, Found};
use crate::outgoing::{self, Outgoing, cgi};
use crate::secure::Secured;
use crate::upstream::Upstreams;

/// Makes a request ready for who was found to answer it: what is sent, and the handshake that comes
/// first.
pub(super) fn prepare<'c>(
    ex: &mut Exchange<'c>,
    (pass, upstreams): (&'c Pass, &Upstreams),
    content: Content,
    found: &Found<'c, '_>,
) -> Result<(Outgoing, Option<Secured>), Stop> {
    let forward = spoken(ex, pass);
    ex.proxy_host = (found.host.clone(), found.port.clone());
    let mut outgoing = match pass.protocol {
        Protocol::Http => outgoing::over_http(ex, content, forward, found),
        Protocol::Uwsgi => cgi::over_uwsgi(ex, content, forward)?,
        Protocol::Fastcgi => cgi::over_fastcgi(ex, content, forward),
        Protocol::Scgi => cgi::over_scgi(ex, content, forward),
        Protocol::Grpc => outgoing::over_grpc(ex, content, found),
    };
    let secured = secured(ex, pass, found, upstreams)?;
    if secured.is_some() {
        outgoing.url.0 = encrypted(outgoing.url.0);
    }
    Ok((outgoing, secured))
}

/// Whom a request would be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The name of the group: of an `upstream` block, or the host itself.
    pub group: String,
    /// Its servers as written.
    pub servers: Vec<String>,
    /// What is spoken: `http`, `https`, `uwsgi`, …
    pub scheme: &'static str,
    /// The path and query that are asked for; empty where the protocol has none.
    pub uri: Bytes,
}

/// Finds out whom a request would be sent to; nothing is sent.
pub async fn plan<'c>(
    ex: &mut Exchange<'c>,
    pass: &'c Pass,
    upstreams: &Upstreams,
) -> Result<Plan, Stop> {
    let content = content::take(ex, pass, spoken(ex, pass)).await?;
    let found = destination::find(ex, pass, upstreams)?;
    let (outgoing, _) = prepare(ex, (pass, upstreams), content, &found)?;
    let said = &found.group.description;
    let (scheme, uri) = outgoing.url;
    let servers = said.servers.iter().map(|server| server.name.clone()).collect();
    Ok(Plan { group: said.name.clone(), servers, scheme, uri })
}

/// The directives of the protocol.
pub(crate) fn spoken<'a>(ex: &Exchange<'a>, pass: &Pass) -> &'a Forward {
    let location = ex.location;
    match pass.protocol {
        Protocol::Http => &location.proxy_forward,
        Protocol::Uwsgi => &location.uwsgi_forward,
        Protocol::Fastcgi => &location.fastcgi_forward,
        Protocol::Scgi => &location.scgi_forward,
        Protocol::Grpc => &location.grpc_forward,
    }
}

/// The scheme of what is spoken over TLS.
fn encrypted(scheme: &'static str) -> &'static str {
    match scheme {
        "http" => "https",
        "uwsgi" => "suwsgi",
        "grpc" => "grpcs",
        other => other,
    }
}

/// The handshake that comes first, where one does.
pub(crate) fn secured(
    ex: &mut Exchange<'_>,
    pass: &Pass,
    found: &Found<'_, '_>,
    upstreams: &Upstreams,
) -> Result<Option<Secured>, Stop> {
    if !found.tls {
        return Ok(None);
    }
    let location = ex.location;
    let settings = match pass.protocol {
        Protocol::Uwsgi => &location.uwsgi_ssl,
        Protocol::Grpc => &location.grpc_ssl,
        _ => &location.proxy_ssl,
    };
    let name = match &settings.name {
        Some(template) => Cow::Owned(ex.render(template).into()),
        None => Cow::Borrowed(&*found.host),
    };
    let name = String::from_utf8_lossy(&name);
    upstreams.tls.secured(settings, &name, ex).map(Some)
}
