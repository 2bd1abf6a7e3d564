//! What of an upstream's answer is let back: hidden fields, rewritten ones, `X-Accel-*`.
//!
//! nginx: `ngx_http_upstream_process_headers` and its table of fields.

use bytes::Bytes;
use tidegate_config::http::forward::Forward;
use tidegate_config::http::pass::Protocol;
use tidegate_config::http::proxy::Proxy;
use tidegate_http::boxed::boxed;
use tidegate_http::headers::{Header, Headers};
use tidegate_http::response::Response;

use crate::evaluate::Evaluate;
use crate::field::Known;
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
    pub(crate) default: Option<&'a redirect::Default<'a>>,
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
    fn hides(&self, known: Option<Known>, name: &[u8]) -> bool {
        let said = |list: &[String]| list.iter().any(|n| n.as_bytes().eq_ignore_ascii_case(name));
        let own = known.is_some_and(|known| known.is_for_us() || self.replaces(known));
        (own || said(&self.forward.hide_header)) && !said(&self.forward.pass_header)
    }

    /// Whether it is a field of the server there, which ours replaces (nginx:
    /// `ngx_http_proxy_hide_headers` and its kin).
    fn replaces(&self, known: Known) -> bool {
        match self.protocol {
            Protocol::Http => matches!(known, Known::Date | Known::Server | Known::XPad),
            Protocol::Fastcgi | Protocol::Scgi => known == Known::Status,
            Protocol::Grpc => matches!(known, Known::Date | Known::Server),
            Protocol::Uwsgi => false,
        }
    }
}

/// What an answer asks of us, as far as it is heard (nginx: `proxy_ignore_headers`).
pub(crate) fn accel(headers: &Headers, forward: &Forward) -> Accel {
    let ours = |name: &[u8]| {
        matches!(name, [b'X' | b'x', ..]) && Known::of(name).is_some_and(Known::is_for_us)
    };
    if !headers.iter().any(|field| ours(&field.name)) {
        return Accel::default();
    }
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
        if is_in(&KEPT, &field.name) && !rules.hides(Known::of(&field.name), &field.name) {
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
) -> Box<Response> {
    let mut response = boxed(|| Response::new(head.status));
    response.reason.clone_from(&head.reason);
    response.content_length = head.content_length;
    response.headers = Headers::with_capacity(head.headers.len());
    response.allow_ranges = rules.forward.force_ranges;
    response.single_range = true;
    response.judged = true;
    let mut seen = 0_u32;
    for (place, field) in head.headers.iter().enumerate() {
        let known = Known::of(&field.name);
        if known.is_some_and(Known::is_of_connection) {
            continue;
        }
        if let Some(single) = known.filter(|known| known.is_single()) {
            let bit = 1 << single as u32;
            if seen & bit != 0 {
                let mut before = head.headers.iter().take(place);
                let first = before.find(|first| first.name.eq_ignore_ascii_case(&field.name));
                let first = first.map(|first| &*first.value).unwrap_or_default();
                warn(&duplicate(&field.name, &field.value, first));
                continue;
            }
            seen |= bit;
        }
        if !rules.hides(known, &field.name) {
            copy(&mut response, (known, field), rules, request);
        }
    }
    response
}

/// The fields of an interim answer that are let through.
pub(crate) fn hints(fields: &Headers, rules: &Rules<'_>) -> Headers {
    let mut kept = trailers(fields);
    kept.retain(|field| !rules.hides(Known::of(&field.name), &field.name));
    kept
}

/// The fields behind a body that are let through: none that frame it.
pub(crate) fn trailers(fields: &Headers) -> Headers {
    let mut kept = Headers::new();
    for field in fields {
        if !Known::of(&field.name).is_some_and(Known::is_of_connection) {
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
    (known, field): (Option<Known>, &Header),
    rules: &Rules<'_>,
    request: &mut dyn Evaluate,
) {
    let (name, value) = (&field.name, &field.value);
    match known {
        Some(Known::ContentType) => response.content_type = Some(value.clone()),
        Some(Known::Location) => {
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
        Some(Known::Refresh) => {
            let rewritten = rules.proxy.and_then(|proxy| {
                redirect::refresh(value, &proxy.redirect, rules.default, request)
            });
            response.headers.push(name.clone(), rewritten.unwrap_or_else(|| value.clone()));
        }
        Some(Known::SetCookie) => {
            let rewritten = rules.proxy.and_then(|proxy| cookie::set_cookie(value, proxy, request));
            response.headers.push(name.clone(), rewritten.unwrap_or_else(|| value.clone()));
        }
        Some(Known::AcceptRanges) if rules.forward.force_ranges => {}
        _ => response.headers.push(name.clone(), value.clone()),
    }
}
