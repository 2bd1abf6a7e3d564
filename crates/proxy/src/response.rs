//! What of an upstream's answer is let back: hidden fields, rewritten ones, `X-Accel-*`.
//!
//! nginx: `ngx_http_upstream_process_headers` and its table of fields.

use bytes::Bytes;
use tidegate_config::http::forward::Forward;
use tidegate_config::http::pass::Protocol;
use tidegate_config::http::proxy::Proxy;
use tidegate_http::headers::Headers;
use tidegate_http::response::Response;

use crate::evaluate::Evaluate;
use crate::protocol::Head;
use crate::{cookie, redirect};

/// What the configuration says of answers.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'a> {
    /// What is spoken.
    pub(crate) protocol: Protocol,
    /// What all protocols have.
    pub(crate) forward: &'a Forward,
    /// What only `proxy_pass` has.
    pub(crate) proxy: Option<&'a Proxy>,
    /// What `proxy_redirect default` means here.
    pub(crate) default: Option<&'a redirect::Default>,
}

/// What an answer asks of us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accel {
    /// `X-Accel-Redirect`: another URI answers instead.
    pub(crate) redirect: Option<Bytes>,
    /// `X-Accel-Limit-Rate`, in bytes a second; 0 is no limit.
    pub(crate) limit_rate: Option<u64>,
    /// `X-Accel-Buffering`
    pub(crate) buffering: Option<bool>,
    /// `X-Accel-Charset`: the charset that the answer is to be in.
    pub(crate) charset: Option<Bytes>,
}

/// Fields of every protocol that are for us alone.
const FOR_US: [&str; 5] = [
    "X-Accel-Expires",
    "X-Accel-Redirect",
    "X-Accel-Limit-Rate",
    "X-Accel-Buffering",
    "X-Accel-Charset",
];

/// Fields of an HTTP server that ours replace (nginx: `ngx_http_proxy_hide_headers`).
const OF_SERVER: [&str; 3] = ["Date", "Server", "X-Pad"];

/// The same of a gRPC server (nginx: `ngx_http_grpc_hide_headers`).
const OF_GRPC: [&str; 2] = ["Date", "Server"];

/// Fields that concern the connection to the upstream; they are never let through.
const HOP: [&str; 4] = ["Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length"];

/// Fields of which the first alone counts.
const SINGLE: [&str; 17] = [
    "Status",
    "Date",
    "Server",
    "Content-Type",
    "Content-Encoding",
    "Last-Modified",
    "ETag",
    "Expires",
    "Location",
    "Refresh",
    "Accept-Ranges",
    "Content-Range",
    "X-Accel-Expires",
    "X-Accel-Redirect",
    "X-Accel-Limit-Rate",
    "X-Accel-Buffering",
    "X-Accel-Charset",
];

/// What an answer keeps when `X-Accel-Redirect` leads elsewhere.
const KEPT: [&str; 6] = [
    "Content-Type",
    "Set-Cookie",
    "Content-Disposition",
    "Cache-Control",
    "Expires",
    "Accept-Ranges",
];

fn is_in(list: &[&str], name: &[u8]) -> bool {
    list.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name))
}

impl Rules<'_> {
    /// Whether the fields behind a body are let through.
    pub(crate) fn trailers(&self) -> bool {
        self.protocol == Protocol::Grpc || self.proxy.is_some_and(|proxy| proxy.pass_trailers)
    }

    /// Whether a field is not let through (nginx: `hide_headers_hash`).
    fn hides(&self, name: &[u8]) -> bool {
        let said = |list: &[String]| list.iter().any(|n| n.as_bytes().eq_ignore_ascii_case(name));
        let own = match self.protocol {
            Protocol::Http => is_in(&OF_SERVER, name),
            Protocol::Fastcgi | Protocol::Scgi => name.eq_ignore_ascii_case(b"Status"),
            Protocol::Grpc => is_in(&OF_GRPC, name),
            Protocol::Uwsgi => false,
        };
        (is_in(&FOR_US, name) || own || said(&self.forward.hide_header))
            && !said(&self.forward.pass_header)
    }
}

/// What an answer asks of us, as far as it is heard (nginx: `proxy_ignore_headers`).
pub(crate) fn accel(headers: &Headers, forward: &Forward) -> Accel {
    let ignore = &forward.ignore_headers;
    let heard = |name: &str, ignored: bool| headers.get(name).filter(|_| !ignored).cloned();
    let limit_rate = heard("X-Accel-Limit-Rate", ignore.accel_limit_rate);
    let buffering = heard("X-Accel-Buffering", ignore.accel_buffering);
    Accel {
        redirect: heard("X-Accel-Redirect", ignore.accel_redirect).filter(|uri| !uri.is_empty()),
        limit_rate: limit_rate
            .and_then(|value| std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok())),
        buffering: buffering.and_then(|value| match value.to_ascii_lowercase().as_slice() {
            b"yes" => Some(true),
            b"no" => Some(false),
            _ => None,
        }),
        charset: heard("X-Accel-Charset", ignore.accel_charset),
    }
}

/// The fields that stay when another URI answers instead.
pub(crate) fn kept(headers: &Headers, rules: &Rules<'_>) -> Headers {
    let mut kept = Headers::new();
    for field in headers {
        if is_in(&KEPT, &field.name) && !rules.hides(&field.name) {
            kept.push(field.name.clone(), field.value.clone());
        }
    }
    kept
}

/// The answer as the client gets it, without its body. Lines for the log go to `warn`.
pub(crate) fn response(
    head: &Head,
    rules: &Rules<'_>,
    request: &mut dyn Evaluate,
    warn: &dyn Fn(&str),
) -> Response {
    let mut response = Response {
        status: head.status,
        reason: head.reason.clone(),
        content_length: head.content_length,
        headers: Headers::with_capacity(head.headers.len()),
        allow_ranges: rules.forward.force_ranges,
        single_range: true,
        judged: true,
        ..Response::default()
    };
    for (place, field) in head.headers.iter().enumerate() {
        if is_in(&HOP, &field.name) {
            continue;
        }
        if is_in(&SINGLE, &field.name)
            && let Some(first) = head
                .headers
                .iter()
                .take(place)
                .find(|first| first.name.eq_ignore_ascii_case(&field.name))
        {
            warn(&duplicate(&field.name, &field.value, &first.value));
            continue;
        }
        if !rules.hides(&field.name) {
            copy(&mut response, (&field.name, &field.value), rules, request);
        }
    }
    response
}

/// The fields of an interim answer that are let through.
pub(crate) fn hints(fields: &Headers, rules: &Rules<'_>) -> Headers {
    let mut kept = trailers(fields);
    kept.retain(|field| !rules.hides(&field.name));
    kept
}

/// The fields behind a body that are let through: none that frame it.
pub(crate) fn trailers(fields: &Headers) -> Headers {
    let mut kept = Headers::new();
    for field in fields {
        if !is_in(&HOP, &field.name) {
            kept.push(field.name.clone(), field.value.clone());
        }
    }
    kept
}

fn duplicate(name: &[u8], value: &[u8], first: &[u8]) -> String {
    let (name, value, first) = (name.escape_ascii(), value.escape_ascii(), first.escape_ascii());
    format!(
        "upstream sent duplicate header line: \"{name}: {value}\", \
         previous value: \"{name}: {first}\", ignored"
    )
}

/// Lets one field through, changed where the configuration says so.
fn copy(
    response: &mut Response,
    (name, value): (&Bytes, &Bytes),
    rules: &Rules<'_>,
    request: &mut dyn Evaluate,
) {
    let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
    match () {
        () if is(b"Content-Type") => response.content_type = Some(value.clone()),
        () if is(b"Location") => {
            let rewritten = rules.proxy.and_then(|proxy| {
                redirect::location(value, &proxy.redirect, rules.default, request)
            });
            match rewritten {
                // Only what is made local here is made absolute again.
                Some(local) if local.starts_with(b"/") => response.location = Some(local),
                Some(other) => response.headers.push(name.clone(), other),
                None => response.headers.push(name.clone(), value.clone()),
            }
        }
        () if is(b"Refresh") => {
            let rewritten = rules.proxy.and_then(|proxy| {
                redirect::refresh(value, &proxy.redirect, rules.default, request)
            });
            response.headers.push(name.clone(), rewritten.unwrap_or_else(|| value.clone()));
        }
        () if is(b"Set-Cookie") => {
            let rewritten = rules.proxy.and_then(|proxy| cookie::set_cookie(value, proxy, request));
            response.headers.push(name.clone(), rewritten.unwrap_or_else(|| value.clone()));
        }
        () if rules.forward.force_ranges && is(b"Accept-Ranges") => {}
        () => response.headers.push(name.clone(), value.clone()),
    }
}
