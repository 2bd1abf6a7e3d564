//! What of a request is sent on: fields over HTTP, variables over uwsgi and its kin.

use std::collections::HashMap;

use bytes::Bytes;
use tidegate_config::http::uwsgi::Param;
use tidegate_http::headers::Headers;

use crate::protocol::http1::Request;

/// What the body of the request is, as far as its head must say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// There is none, and nothing was said of one.
    None,
    /// So many bytes.
    Known(u64),
    /// As many as will come.
    Chunked,
}

/// The client's side of a request that is sent on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// The method to be sent.
    pub(crate) method: &'a Bytes,
    /// The target to be sent.
    pub(crate) target: &'a Bytes,
    /// The client's fields; none where they are not passed on.
    pub(crate) headers: Option<&'a Headers>,
    /// `$proxy_host`.
    pub(crate) host: &'a Bytes,
    /// The body to be sent.
    pub(crate) length: Length,
    /// `proxy_set_header`, with the values as they came out.
    pub(crate) set_header: &'a [(Bytes, Bytes)],
    /// Whether 1.1 is spoken, not 1.0.
    pub(crate) http11: bool,
}

/// Fields of a client that concern its connection with us, or that we write ourselves.
const OURS: [&str; 9] = [
    "Host",
    "Connection",
    "Proxy-Connection",
    "Content-Length",
    "Transfer-Encoding",
    "TE",
    "Keep-Alive",
    "Expect",
    "Upgrade",
];

/// The request as HTTP sends it: configured fields first, then ours, then the client's (nginx:
/// `ngx_http_proxy_create_request`).
pub(crate) fn over_http(asked: &Asked<'_>) -> Request {
    let mut headers = Headers::with_capacity(16);
    for (name, value) in asked.set_header.iter().filter(|(_, value)| !value.is_empty()) {
        headers.push(name.clone(), on_one_line(value.clone()));
    }
    let configured =
        |name: &[u8]| asked.set_header.iter().any(|(set, _)| set.eq_ignore_ascii_case(name));
    if !configured(b"Host") {
        headers.push("Host", on_one_line(asked.host.clone()));
    }
    match asked.length {
        Length::Known(length) if !configured(b"Content-Length") => {
            headers.push("Content-Length", itoa::Buffer::new().format(length).to_owned());
        }
        Length::Chunked if !configured(b"Transfer-Encoding") => {
            headers.push("Transfer-Encoding", "chunked");
        }
        _ => {}
    }
    let ours = |name: &[u8]| OURS.iter().any(|ours| ours.as_bytes().eq_ignore_ascii_case(name));
    for field in asked.headers.into_iter().flatten() {
        if !ours(&field.name) && !configured(&field.name) {
            headers.push(field.name.clone(), field.value.clone());
        }
    }
    let upgrade = headers.contains("Upgrade")
        && asked.headers.is_some_and(|headers| headers.contains("Upgrade"));
    Request {
        method: on_one_line(asked.method.clone()),
        target: asked.target.clone(),
        http11: asked.http11,
        headers,
        chunked: asked.length == Length::Chunked,
        upgrade,
    }
}

/// A variable may hold what would end the line.
fn on_one_line(value: Bytes) -> Bytes {
    let bad = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0);
    if !value.iter().any(bad) {
        return value;
    }
    value.iter().map(|byte| if bad(byte) { b' ' } else { *byte }).collect()
}

/// Adds a client's fields to the variables that the configuration gives an application, as
/// `HTTP_*`, where no variable of that name is there (nginx: `ngx_http_uwsgi_create_request`).
pub(crate) fn add_fields(variables: &mut Vec<(Bytes, Bytes)>, params: &[Param], headers: &Headers) {
    let configured = |name: &[u8]| params.iter().any(|param| param.name == name);
    let mut places: HashMap<Bytes, usize> = HashMap::new();
    for field in headers {
        let name = variable_name(&field.name);
        if UNSAID.contains(&&name[..]) || configured(&name) {
            continue;
        }
        let known = places.get(&name).and_then(|&place| variables.get_mut(place));
        if let Some((name, value)) = known {
            let comma: &[u8] = if name == "HTTP_COOKIE" { b"; " } else { b", " };
            *value = [value, comma, &field.value].concat().into();
        } else {
            places.insert(name.clone(), variables.len());
            variables.push((name, field.value.clone()));
        }
    }
}

/// What an application is not told by a client. Its host we have said ourselves; a `Proxy: x` would
/// become the proxy that the application's own requests go through; and of chunks nothing is left,
/// though nginx says so, upon which Werkzeug finds no body.
const UNSAID: [&[u8]; 3] = [b"HTTP_HOST", b"HTTP_PROXY", b"HTTP_TRANSFER_ENCODING"];

/// `X-Forwarded-For` as `HTTP_X_FORWARDED_FOR`.
fn variable_name(field: &[u8]) -> Bytes {
    let upper = |&byte: &u8| if byte == b'-' { b'_' } else { byte.to_ascii_uppercase() };
    b"HTTP_".iter().copied().chain(field.iter().map(upper)).collect()
}

#[cfg(test)]
mod tests;
