//! A request put together for its protocol: what of it is sent on, and where it comes from.

pub(crate) mod cgi;

use std::rc::Rc;

use bytes::Bytes;
use tidegate_config::block::location::LocationName;
use tidegate_config::http::forward::Forward;
use tidegate_config::http::proxy::ProxyVersion;
use tidegate_http::exchange::Exchange;

use crate::content::Content;
use crate::destination::{Found, Uri};
use crate::protocol::Codec;
use crate::protocol::http1::Http1;
use crate::protocol::http2::Http2;
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
    let codec: Rc<dyn Codec> = match proxy.http_version {
        ProxyVersion::Http2 => {
            let http2 = Http2::new(&sent, false, found.tls);
            // They belong to the client's body, and are fields of its head all but in their place.
            let trailers = forward.pass_request_headers
                && forward.pass_request_body
                && proxy.set_body.is_none();
            Rc::new(if trailers { http2.with_trailers(&set_header) } else { http2 })
        }
        ProxyVersion::Http10 | ProxyVersion::Http11 => Rc::new(Http1::new(&sent)),
    };
    Outgoing { codec, content, url: ("http", target), hint: None }
}

/// As `grpc_pass` sends it.
pub(crate) fn over_grpc(ex: &mut Exchange<'_>, content: Content, found: &Found) -> Outgoing {
    let target = http_target(ex, &Uri::None);
    let method = Bytes::copy_from_slice(ex.method.as_str().as_bytes());
    let settings = &*ex.location.grpc;
    let mut set_header = Vec::with_capacity(settings.set_header.len());
    for field in &settings.set_header {
        set_header.push((field.name.clone(), ex.render(&field.value)));
    }
    let length = ex.request.content_length.map_or(Length::None, Length::Known);
    let sent = request::over_http(&request::Asked {
        method: &method,
        target: &target,
        headers: Some(&ex.request.headers),
        host: &found.host,
        length,
        set_header: &set_header,
        http11: true,
    });
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
