//! What of a request is sent on: fields over HTTP, variables over uwsgi and its kin.

use std::borrow::Cow;
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
    /// The client's fields; none where they are not passed on.
    pub(crate) headers: Option<&'a Headers>,
    /// `$proxy_host`.
    pub(crate) host: &'a Bytes,
    /// The body to be sent.
    pub(crate) length: Length,
    /// `proxy_set_header`, with the values as they came out.
    pub(crate) set_header: &'a [(&'a Bytes, Bytes)],
}

impl Asked<'_> {
    /// Puts the fields in order: configured ones first, then ours, then the client's (nginx:
    /// `ngx_http_proxy_create_request`). Whether an upgrade is asked for.
    pub(crate) fn fields(&self, mut put: impl FnMut(&Bytes, &Bytes)) -> bool {
        let mut upgrades = false;
        for (name, value) in self.set_header.iter().filter(|(_, value)| !value.is_empty()) {
            put(name, &on_one_line(value));
            upgrades |= name.eq_ignore_ascii_case(b"Upgrade");
        }
        if !self.configures(b"Host") {
            put(&Bytes::from_static(b"Host"), &on_one_line(self.host));
        }
        match self.length {
            Length::Known(length) if !self.configures(b"Content-Length") => {
                let mut text = itoa::Buffer::new();
                let text = Bytes::copy_from_slice(text.format(length).as_bytes());
                put(&Bytes::from_static(b"Content-Length"), &text);
            }
            Length::Chunked if !self.configures(b"Transfer-Encoding") => {
                let (name, value) = (b"Transfer-Encoding", b"chunked");
                put(&Bytes::from_static(name), &Bytes::from_static(value));
            }
            _ => {}
        }
        for field in self.headers.into_iter().flatten() {
            if !is_ours(&field.name) && !self.configures(&field.name) {
                put(&field.name, &field.value);
            }
        }
        upgrades && self.headers.is_some_and(|headers| headers.contains("Upgrade"))
    }

    fn configures(&self, name: &[u8]) -> bool {
        self.set_header.iter().any(|(set, _)| set.eq_ignore_ascii_case(name))
    }
}

/// Whether a field of a client concerns its connection with us, or is one that we write ourselves.
fn is_ours(name: &[u8]) -> bool {
    // Names of one length are few.
    let ours: &[&str] = match name.len() {
        2 => &["TE"],
        4 => &["Host"],
        6 => &["Expect"],
        7 => &["Upgrade"],
        10 => &["Connection", "Keep-Alive"],
        14 => &["Content-Length"],
        16 => &["Proxy-Connection"],
        17 => &["Transfer-Encoding"],
        _ => &[],
    };
    ours.iter().any(|ours| ours.as_bytes().eq_ignore_ascii_case(name))
}

/// The request as HTTP/2 is made of.
pub(crate) fn over_http(method: &[u8], target: Bytes, asked: &Asked<'_>) -> Request {
    let mut headers = Headers::with_capacity(16);
    let upgrade = asked.fields(|name, value| headers.push(name.clone(), value.clone()));
    Request {
        method: on_one_line(&Bytes::copy_from_slice(method)).into_owned(),
        target,
        http11: true,
        headers,
        chunked: asked.length == Length::Chunked,
        upgrade,
    }
}

/// A variable may hold what would end the line.
pub(crate) fn on_one_line(value: &Bytes) -> Cow<'_, Bytes> {
    let bad = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0);
    if memchr::memchr3(b'\r', b'\n', 0, value).is_none() {
        return Cow::Borrowed(value);
    }
    Cow::Owned(value.iter().map(|byte| if bad(byte) { b' ' } else { *byte }).collect())
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
