//! What of a request is sent on: fields over HTTP, variables over uwsgi and its kin.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use bytes::Bytes;
use tidegate_config::http::proxy::Field;
use tidegate_config::http::uwsgi::Param;
use tidegate_http::headers::{Header, Headers};

use crate::protocol::http1::Request;
use crate::protocol::params::{Params, variable_byte};

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

/// The client's side of a request that is sent on, beside what is configured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// The client's fields; none where they are not passed on.
    pub(crate) headers: Option<&'a Headers>,
    /// `$proxy_host`.
    pub(crate) host: &'a [u8],
    /// The body to be sent.
    pub(crate) length: Length,
    /// `proxy_set_header`: what is configured, which stands before all others.
    pub(crate) set_header: &'a [Field],
}

/// A field that is sent on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sent<'a> {
    /// One of our own.
    Own(&'static str, &'a [u8]),
    /// The client's.
    Client(&'a Header),
}

impl Asked<'_> {
    /// Puts the fields in order that stand behind the configured ones: ours, then the client's
    /// (nginx: `ngx_http_proxy_create_request`).
    pub(crate) fn fields(&self, mut put: impl FnMut(Sent<'_>)) {
        if !self.configures(b"Host") {
            put(Sent::Own("Host", &on_one_line(self.host)));
        }
        match self.length {
            Length::Known(length) if !self.configures(b"Content-Length") => {
                let mut text = itoa::Buffer::new();
                put(Sent::Own("Content-Length", text.format(length).as_bytes()));
            }
            Length::Chunked if !self.configures(b"Transfer-Encoding") => {
                put(Sent::Own("Transfer-Encoding", b"chunked"));
            }
            _ => {}
        }
        for field in self.headers.into_iter().flatten() {
            if !is_ours(&field.name) && !self.configures(&field.name) {
                put(Sent::Client(field));
            }
        }
    }

    /// Whether an upgrade is asked for, where a configured field of this name has come out with a
    /// value.
    pub(crate) fn upgrades(&self, name: &[u8]) -> bool {
        name.eq_ignore_ascii_case(b"Upgrade")
            && self.headers.is_some_and(|headers| headers.contains("Upgrade"))
    }

    fn configures(&self, name: &[u8]) -> bool {
        self.set_header.iter().any(|set| set.name.eq_ignore_ascii_case(name))
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

/// The request as HTTP/2 is made of; `set` has the configured fields with their values.
pub(crate) fn over_http(
    method: &[u8],
    target: Bytes,
    asked: &Asked<'_>,
    set: &[(&Bytes, Bytes)],
) -> Request {
    let mut headers = Headers::with_capacity(16);
    let mut upgrade = false;
    for (name, value) in set.iter().filter(|(_, value)| !value.is_empty()) {
        headers.push((*name).clone(), shared_on_one_line(value));
        upgrade |= asked.upgrades(name);
    }
    asked.fields(|field| match field {
        Sent::Own(name, value) => headers.push(name, Bytes::copy_from_slice(value)),
        Sent::Client(field) => headers.push(field.name.clone(), field.value.clone()),
    });
    Request {
        method: Bytes::copy_from_slice(&on_one_line(method)),
        target,
        http11: true,
        headers,
        chunked: asked.length == Length::Chunked,
        upgrade,
    }
}

/// Whether a byte would end its line, which a variable may hold.
pub(crate) fn ends_a_line(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | 0)
}

/// The same text with blanks for what would end the line.
pub(crate) fn on_one_line(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr3(b'\r', b'\n', 0, value).is_none() {
        return Cow::Borrowed(value);
    }
    value.iter().map(|&byte| if ends_a_line(byte) { b' ' } else { byte }).collect()
}

fn shared_on_one_line(value: &Bytes) -> Bytes {
    match on_one_line(value) {
        Cow::Borrowed(_) => value.clone(),
        Cow::Owned(value) => value.into(),
    }
}

/// Adds a client's fields to the variables that the configuration gives an application, as
/// `HTTP_*`, where no variable of that name is there (nginx: `ngx_http_uwsgi_create_request`).
pub(crate) fn add_fields(params: &mut impl Params, configured: &[Param], headers: &Headers) {
    let own = configured.iter().filter(|param| param.name.starts_with(PREFIX));
    let own: Vec<&[u8]> = own.map(|param| &param.name[..]).collect();
    let said = |name: &[u8]| is_one(&UNSAID, name) || is_one(&own, name);
    let fields = headers.iter().filter(|field| !said(&field.name));
    if !has_twins(headers) {
        return fields.for_each(|field| {
            params.begin(PREFIX, &field.name);
            params.value().extend_from_slice(&field.value);
            params.end();
        });
    }
    let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut joined: Vec<(&[u8], Cow<'_, [u8]>)> = Vec::new();
    for field in fields {
        match places.entry(field.name.iter().copied().map(variable_byte).collect()) {
            Entry::Occupied(place) => {
                let comma: &[u8] = if place.key() == b"COOKIE" { b"; " } else { b", " };
                if let Some((_, value)) = joined.get_mut(*place.get()) {
                    *value = [value, comma, &field.value].concat().into();
                }
            }
            Entry::Vacant(place) => {
                place.insert(joined.len());
                joined.push((&field.name, Cow::Borrowed(&field.value)));
            }
        }
    }
    for (name, value) in joined {
        params.begin(PREFIX, name);
        params.value().extend_from_slice(&value);
        params.end();
    }
}

/// Whether two fields may become one variable. Of many it is not asked.
fn has_twins(headers: &Headers) -> bool {
    const MANY: usize = 48;
    let same = |one: &Header, other: &Header| {
        one.name.len() == other.name.len()
            && one.name.iter().copied().map(variable_byte).eq(other
                .name
                .iter()
                .copied()
                .map(variable_byte))
    };
    let before = |place: usize| headers.iter().take(place);
    headers.len() > MANY
        || headers.iter().enumerate().any(|(at, one)| before(at).any(|other| same(one, other)))
}

/// Whether a field becomes one of these variables.
fn is_one(variables: &[&[u8]], field: &[u8]) -> bool {
    variables.iter().any(|variable| {
        variable.len() == PREFIX.len() + field.len()
            && variable
                .iter()
                .skip(PREFIX.len())
                .copied()
                .eq(field.iter().copied().map(variable_byte))
    })
}

/// What an application is not told by a client. Its host we have said ourselves; a `Proxy: x` would
/// become the proxy that the application's own requests go through; and of chunks nothing is left,
/// though nginx says so, upon which Werkzeug finds no body.
const UNSAID: [&[u8]; 3] = [b"HTTP_HOST", b"HTTP_PROXY", b"HTTP_TRANSFER_ENCODING"];

/// What stands before the name of a field.
pub(crate) const PREFIX: &[u8] = b"HTTP_";

#[cfg(test)]
mod tests;
