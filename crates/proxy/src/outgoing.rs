//! A request put together for its protocol: what of it is sent on, and where it comes from.

pub(crate) mod cgi;

use std::rc::Rc;

use bytes::Bytes;
use tidegate_config::block::location::LocationName;
use tidegate_config::http::forward::Forward;
use tidegate_config::http::proxy::{Field, ProxyVersion};
use tidegate_http::exchange::Exchange;

use crate::content::Content;
use crate::destination::{Found, Uri};
use crate::protocol::Codec;
use crate::protocol::http1::Draft;
use crate::protocol::http2::Http2;
use crate::request::{self, Length, Sent};
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
    found: &Found<'_, '_>,
) -> Outgoing {
    let proxy = &*ex.location.proxy;
    let method = proxy.method.as_ref().map(|method| ex.render(method));
    let method = method.filter(|method| !method.is_empty());
    let method = method.as_deref().map(request::on_one_line);
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
    let asked =
        request::Asked { headers: None, host: &found.host, length, set_header: &proxy.set_header };
    if proxy.http_version == ProxyVersion::Http2 {
        return over_http2(ex, method.as_deref(), content, (forward, found), asked);
    }
    let mut draft = {
        let method = method.as_deref().unwrap_or(ex.method.as_str().as_bytes());
        let write = |out: &mut Vec<u8>| write_target(ex, &found.uri, out);
        Draft::new(method, write, proxy.http_version != ProxyVersion::Http10)
    };
    let mut upgraded = None;
    for Field { name, value } in &proxy.set_header {
        if draft.rendered(name, |out| ex.write(value, out)) && name.eq_ignore_ascii_case(b"Upgrade")
        {
            upgraded = Some(name);
        }
    }
    let headers = forward.pass_request_headers.then_some(&ex.request.headers);
    let asked = request::Asked { headers, ..asked };
    asked.fields(|field| match field {
        Sent::Own(name, value) => draft.field(name.as_bytes(), value),
        Sent::Client(field) => draft.field(&field.name, &field.value),
    });
    let upgrade = upgraded.is_some_and(|name| asked.upgrades(name));
    let codec = draft.finish(length == Length::Chunked, upgrade);
    let url = ("http", codec.target());
    Outgoing { codec: Rc::new(codec), content, url, hint: None }
}

/// The same over HTTP/2.
fn over_http2(
    ex: &mut Exchange<'_>,
    method: Option<&[u8]>,
    content: Content,
    (forward, found): (&Forward, &Found<'_, '_>),
    asked: request::Asked<'_>,
) -> Outgoing {
    let set_header = rendered(ex, asked.set_header);
    let headers = forward.pass_request_headers.then_some(&ex.request.headers);
    let asked = request::Asked { headers, ..asked };
    let target = target(|out| write_target(ex, &found.uri, out));
    let method = method.unwrap_or(ex.method.as_str().as_bytes());
    let sent = request::over_http(method, target.clone(), &asked, &set_header);
    let http2 = Http2::new(&sent, false, found.tls);
    // They belong to the client's body, and are fields of its head all but in their place.
    let trailers = forward.pass_request_headers
        && forward.pass_request_body
        && ex.location.proxy.set_body.is_none();
    let http2 = if trailers { http2.with_trailers(&set_header) } else { http2 };
    Outgoing { codec: Rc::new(http2), content, url: ("http", target), hint: None }
}

/// Configured fields with their values.
fn rendered<'a>(ex: &mut Exchange<'_>, fields: &'a [Field]) -> Vec<(&'a Bytes, Bytes)> {
    let mut rendered = Vec::with_capacity(fields.len());
    for field in fields {
        rendered.push((&field.name, ex.render(&field.value)));
    }
    rendered
}

/// As `grpc_pass` sends it.
pub(crate) fn over_grpc(
    ex: &mut Exchange<'_>,
    content: Content,
    found: &Found<'_, '_>,
) -> Outgoing {
    let target = target(|out| write_target(ex, &Uri::None, out));
    let set_header = rendered(ex, &ex.location.grpc.set_header);
    let length = ex.request.content_length.map_or(Length::None, Length::Known);
    let asked = request::Asked {
        headers: Some(&ex.request.headers),
        host: &found.host,
        length,
        set_header: &ex.location.grpc.set_header,
    };
    let method = ex.method.as_str().as_bytes();
    let sent = request::over_http(method, target.clone(), &asked, &set_header);
    let own = set_header.iter().find(|(name, _)| name.eq_ignore_ascii_case(b"TE"));
    let trailers = match own {
        Some((_, value)) => value.eq_ignore_ascii_case(b"trailers"),
        None => takes_trailers(ex),
    };
    let codec = Rc::new(Http2::new(&sent, trailers, found.tls).with_trailers(&set_header));
    Outgoing { codec, content, url: ("grpc", target), hint: None }
}

/// Whether the client says that it takes fields behind a body.
fn takes_trailers(ex: &Exchange<'_>) -> bool {
    let mut values = ex.request.headers.all(b"TE");
    values.any(|value| {
        value.split(|&byte| byte == b',').any(|word| {
            let word = word.split(|&byte| byte == b';').next().unwrap_or_default();
            word.trim_ascii().eq_ignore_ascii_case(b"trailers")
        })
    })
}

/// What is written of a target, by itself.
fn target(write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut out = Vec::new();
    write(&mut out);
    out.into()
}

fn write_target(ex: &Exchange<'_>, uri: &Uri<'_>, out: &mut Vec<u8>) {
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
        Uri::Prefix(uri) => Replacement::Prefix(uri.as_bytes()),
        Uri::Exact(uri) => Replacement::Exact(uri.as_bytes()),
    };
    target::write(&asked, replacement, out);
}

fn path_is_encoded(target: &[u8]) -> bool {
    target.iter().take_while(|&&byte| byte != b'?').any(|&byte| byte == b'%')
}
