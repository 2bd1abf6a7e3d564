//! How an answer is written: what of it depends on the connection and the configuration.

use std::borrow::Cow;
use std::path::Path;

use bytes::Bytes;
use tidegate_config::http::keepalive::OldBrowser;
use tidegate_config::http::server_tokens::Tokens;
use tidegate_http::client::Endpoint;
use tidegate_http::exchange::Exchange;
use tidegate_http::filter::gzip::is_msie6;
use tidegate_http::response::Response;
use tidegate_http::shortage;
use tidegate_http::user_agent::Browser;

/// What `Server` says with `server_tokens on`.
const SERVER: &str = concat!("tidegate/", env!("CARGO_PKG_VERSION"));

/// What an answer's bytes depend on besides itself.
pub(crate) struct Manner {
    /// Whether the client and the configuration let the connection live on.
    pub(crate) keep_alive: bool,
    /// What `Server` says.
    pub(crate) server: &'static str,
    /// What makes a local `Location` absolute, where there is one.
    pub(crate) base: Option<Bytes>,
}

impl Manner {
    /// The manner of this request's answer.
    pub(crate) fn new(ex: &Exchange<'_>, response: &Response, keep_alive: bool) -> Self {
        let server = product(ex.location.server_tokens.tokens);
        let local = response.location.as_ref().is_some_and(|location| location.starts_with(b"/"));
        Self { keep_alive, server, base: if local { base(ex) } else { None } }
    }
}

/// What `Server` says.
pub(crate) fn product(tokens: Tokens) -> &'static str {
    if tokens == Tokens::Off { "tidegate" } else { SERVER }
}

/// Whether the client and the configuration let the connection live on. Where descriptors lack, who
/// is turned away gives its own back.
pub(crate) fn keeps_alive(ex: &Exchange<'_>, status: u16) -> bool {
    let keepalive = &ex.location.keepalive;
    ex.request.keep_alive
        && !keepalive.timeout.idle.is_zero()
        && ex.number < keepalive.requests
        && ex.connection.started.checked_add(keepalive.time).is_none_or(|end| ex.started < end)
        && !is_disabled(ex)
        && !(status == 503 && shortage::is_acute())
}

/// An old browser loses what it posts on a kept connection (nginx: `keepalive_disable`).
fn is_disabled(ex: &Exchange<'_>) -> bool {
    let headers = &ex.request.headers;
    ex.location.keepalive.disable.iter().any(|browser| match browser {
        OldBrowser::None => false,
        OldBrowser::Msie6 => {
            ex.request.method == http::Method::POST
                && headers.get("User-Agent").is_some_and(|agent| is_msie6(agent))
        }
        OldBrowser::Safari => Browser::of(headers) == Some(Browser::Safari),
    })
}

/// Scheme, host and port for a redirect to ourselves; `None` where it stays local
/// (nginx: `ngx_http_header_filter`).
fn base(ex: &Exchange<'_>) -> Option<Bytes> {
    let redirect = &ex.location.redirect;
    if !redirect.absolute {
        return None;
    }
    let asked = ex.request.host.as_deref().filter(|host| !host.is_empty());
    let host: Cow<'_, str> = match asked {
        _ if redirect.server_name => ex.server.name().into(),
        Some(host) => String::from_utf8_lossy(host),
        None => match &ex.connection.local {
            Endpoint::Ip(address) if address.is_ipv6() => format!("[{}]", address.ip()).into(),
            Endpoint::Ip(address) => address.ip().to_string().into(),
            Endpoint::Unix(path) => {
                let path = path.as_deref().unwrap_or(Path::new("")).display();
                format!("unix:{path}").into()
            }
        },
    };
    let (scheme, usual) = if ex.connection.is_encrypted() { ("https", 443) } else { ("http", 80) };
    let port = match &ex.connection.local {
        Endpoint::Ip(address) if redirect.port && address.port() != usual => address.port(),
        _ => return Some(format!("{scheme}://{host}").into()),
    };
    Some(format!("{scheme}://{host}:{port}").into())
}
