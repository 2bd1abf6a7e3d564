//! A request put together for its protocol: what of it is sent on, and where it comes from.

use std::rc::Rc;

use bytes::Bytes;
use http::Method;
use tidegate_config::block::location::LocationName;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::forward::Forward;
use tidegate_config::http::proxy::ProxyVersion;
use tidegate_config::value::template::{Part, Template};
use tidegate_config::variable::{Builtin, Variable};
use tidegate_http::exchange::Exchange;
use tidegate_http::stop::Stop;

use crate::content::Content;
use crate::destination::{Found, Uri};
use crate::protocol::Codec;
use crate::protocol::http1::Http1;
use crate::protocol::uwsgi::{Packet, Uwsgi};
use crate::request::{self, Length};
use crate::target::{self, Replacement};

/// A request ready to be sent.
pub(crate) struct Outgoing {
    /// Its bytes.
    pub(crate) codec: Rc<dyn Codec>,
    /// Its body.
    pub(crate) content: Content,
    /// Scheme and URI, for the log.
    pub(crate) url: (&'static str, Bytes),
    /// What may be wrong if it is not answered.
    pub(crate) hint: Option<String>,
}

/// As `proxy_pass` sends it.
pub(crate) fn over_http(
    ex: &mut Exchange<'_>,
    content: Content,
    forward: &Forward,
    found: &Found,
) -> Outgoing {
    let proxy = &*ex.location.proxy;
    let target = http_target(ex, &found.uri);
    let method = proxy.method.as_ref().map(|method| ex.render(method));
    let method = method.filter(|method| !method.is_empty());
    let method = method.unwrap_or_else(|| Bytes::copy_from_slice(ex.method.as_str().as_bytes()));
    let content = match &proxy.set_body {
        Some(template) => Content::Memory(ex.render(template)),
        None if forward.pass_request_body => content,
        None => Content::Memory(Bytes::new()),
    };
    let told = ex.request.content_length.is_some() || proxy.set_body.is_some();
    let length = match (content.len(), ex.request.content_length) {
        (None, None) => Length::Chunked,
        (None, Some(length)) | (Some(length), _) if told => Length::Known(length),
        _ => Length::None,
    };
    let mut set_header = Vec::with_capacity(proxy.set_header.len());
    for field in &proxy.set_header {
        set_header.push((field.name.clone(), ex.render(&field.value)));
    }
    let sent = request::over_http(&request::Asked {
        method: &method,
        target: &target,
        headers: forward.pass_request_headers.then_some(&ex.request.headers),
        host: &found.host,
        length,
        set_header: &set_header,
        http11: proxy.http_version != ProxyVersion::Http10,
    });
    Outgoing { codec: Rc::new(Http1::new(&sent)), content, url: ("http", target), hint: None }
}

fn http_target(ex: &Exchange<'_>, uri: &Uri) -> Bytes {
    let name = match &ex.location.name {
        LocationName::Prefix { prefix, .. } => prefix.len(),
        LocationName::Exact(name) => name.len(),
        _ => 0,
    };
    let asked = target::Asked {
        raw: ex.raw_uri.then_some(&ex.request.target),
        path: &ex.uri,
        args: ex.args.as_deref(),
        encode: ex.internal || path_is_encoded(&ex.request.target),
        location: ex.in_location.then_some(name),
    };
    let replacement = match uri {
        Uri::None => Replacement::None,
        Uri::Prefix(uri) => Replacement::Prefix(uri),
        Uri::Exact(uri) => Replacement::Exact(uri),
    };
    target::target(&asked, replacement)
}

fn path_is_encoded(target: &[u8]) -> bool {
    target.iter().take_while(|&&byte| byte != b'?').any(|&byte| byte == b'%')
}

/// uWSGI refuses more, where it is not told otherwise, and says so only in its own log.
const USUAL_BUFFER: usize = 4096;

/// As `uwsgi_pass` sends it.
pub(crate) fn over_uwsgi(
    ex: &mut Exchange<'_>,
    content: Content,
    forward: &Forward,
) -> Result<Outgoing, Stop> {
    let uwsgi = &*ex.location.uwsgi;
    let mut params = Vec::with_capacity(uwsgi.params.len() + 24);
    for param in &uwsgi.params {
        let value = ex.render(&param.value);
        if !(param.if_not_empty && value.is_empty()) {
            params.push((param.name.clone(), value));
        }
    }
    if !uwsgi.params.iter().any(|param| param.name == "HTTP_HOST") {
        params.push((Bytes::from_static(b"HTTP_HOST"), ex.render(&host_and_port())));
    }
    if forward.pass_request_headers {
        request::add_fields(&mut params, &uwsgi.params, &ex.request.headers);
    }
    let packet = Packet {
        modifier1: uwsgi.modifier1 as u8,
        modifier2: uwsgi.modifier2 as u8,
        params,
        string: uwsgi.string.as_ref().map(|string| ex.render(string)).unwrap_or_default(),
        head_only: ex.method == Method::HEAD,
        upgrade: ex.request.headers.contains("Upgrade"),
    };
    let codec = Uwsgi::new(&packet).map_err(|error| {
        ex.log(Level::Alert, &error.to_string());
        Stop::Status(500)
    })?;
    let size = codec.head().len().saturating_sub(4);
    let hint = (size > USUAL_BUFFER)
        .then(|| format!("uwsgi vars {size} bytes; uWSGI's default buffer-size is {USUAL_BUFFER}"));
    let content = if forward.pass_request_body { content } else { Content::Memory(Bytes::new()) };
    Ok(Outgoing { codec: Rc::new(codec), content, url: ("uwsgi", Bytes::new()), hint })
}

/// `$host$is_request_port$request_port`
fn host_and_port() -> Template {
    let variable = |builtin| Part::Variable(Variable::Builtin(builtin));
    let parts = [Builtin::Host, Builtin::IsRequestPort, Builtin::RequestPort].map(variable);
    Template { parts: parts.into() }
}
