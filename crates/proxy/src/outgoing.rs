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
