//! sub: text that is replaced.

mod replace;

use bytes::Bytes;
use http::Method;

use super::charset::essence;
use super::transform::transform;
use crate::body::Body;
use crate::exchange::Exchange;
use crate::response::Response;
use replace::Replace;

/// Replaces text in an answer (nginx: `ngx_http_sub_header_filter`).
pub(super) fn apply(ex: &mut Exchange<'_>, response: &mut Response) {
    let location = ex.location;
    let sub = &location.sub;
    if sub.pairs.is_empty() || response.content_length == Some(0) {
        return;
    }
    let content_type = response.content_type.as_deref().unwrap_or_default();
    if !sub.types.contains(essence(content_type)) || matches!(response.body, Body::Tunnel(_)) {
        return;
    }
    let mut pairs = Vec::with_capacity(sub.pairs.len());
    for pair in &sub.pairs {
        let text = ex.render(&pair.text);
        if !text.is_empty() {
            pairs.push((Bytes::from(text.to_ascii_lowercase()), ex.render(&pair.replacement)));
        }
    }
    if pairs.is_empty() {
        return;
    }
    if !ex.subrequest {
        response.content_length = None;
        if sub.last_modified {
            response.weaken_etag();
        } else {
            response.last_modified = None;
            response.headers.remove("Last-Modified");
            response.headers.remove("ETag");
        }
    }
    if ex.method != Method::HEAD || ex.subrequest {
        let body = std::mem::take(&mut response.body).into_stream();
        response.body = Body::Stream(transform(body, Replace::new(pairs, sub.once)));
    }
}
