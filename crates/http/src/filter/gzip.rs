//! gzip: smaller answers for those who take them.

mod accept;
mod encode;
mod kept;

use std::cell::Cell;
use std::rc::Rc;

use tidegate_config::http::error_log::Level;
use tidegate_config::http::gzip::{Disable, Gzip, GzipVersion, Proxied};

use crate::body::Body;
use crate::date::{parse_http_date, unix_time};
use crate::exchange::Exchange;
use crate::head::Version;
use crate::headers::Headers;
use crate::response::Response;

/// Bytes before and after compression, while they are counted.
pub type Counts = Rc<Cell<(u64, u64)>>;

/// Compresses an answer (nginx: `ngx_http_gzip_header_filter`).
pub(super) fn apply(ex: &mut Exchange<'_>, response: &mut Response) {
    let settings = &ex.location.gzip;
    if !settings.enabled || !is_fit(settings, response) {
        return;
    }
    if settings.vary {
        response.headers.push_front("Vary", "Accept-Encoding");
    }
    if !is_taken(ex, settings, response) {
        return;
    }
    let counts = Counts::default();
    let lies_still = response.allow_ranges;
    let kept = if lies_still { kept::compressed(&response.body, settings.level) } else { Ok(None) };
    response.body = match (kept, std::mem::take(&mut response.body)) {
        (_, Body::Empty) => Body::Empty,
        (Ok(Some(bytes)), body) => {
            counts.set((body.len().unwrap_or_default(), bytes.len() as u64));
            Body::Bytes(bytes)
        }
        (Ok(None), body) => {
            let counts = Rc::clone(&counts);
            Body::Stream(encode::compress_stream(body.into_stream(), settings.level, counts))
        }
        (Err(error), body) => {
            ex.log(Level::Crit, &format!("cannot compress: {error}"));
            response.body = body;
            return;
        }
    };
    ex.sent.gzip_ratio = Some(counts);
    response.changed();
    response.headers.push("Content-Encoding", "gzip");
}

/// Whether an answer is worth it.
fn is_fit(settings: &Gzip, response: &Response) -> bool {
    let long = response.content_length.is_none_or(|length| length >= settings.min_length.0);
    matches!(response.status, 200 | 403 | 404)
        && long
        && !matches!(response.body, Body::Tunnel(_))
        && response.content_type.as_ref().is_some_and(|kind| settings.types.contains(kind))
        && response.headers.get("Content-Encoding").is_none_or(bytes::Bytes::is_empty)
}

/// Whether the client takes it, and may have it (nginx: `ngx_http_gzip_ok`).
pub fn is_taken(ex: &Exchange<'_>, settings: &Gzip, response: &Response) -> bool {
    let request = &ex.request;
    let accepts = |value: &bytes::Bytes| accept::accepts(value, b"gzip");
    if !request.headers.get("Accept-Encoding").is_some_and(accepts) {
        return false;
    }
    let least = match settings.http_version {
        GzipVersion::Http10 => Version::Http10,
        GzipVersion::Http11 => Version::Http11,
    };
    if request.version < least {
        return false;
    }
    if request.headers.contains("Via")
        && !is_for_proxies(settings.proxied, &request.headers, response)
    {
        return false;
    }
    let Some(agent) = request.headers.get("User-Agent") else { return true };
    !settings.disable.iter().flatten().any(|client| match client {
        Disable::Msie6 => is_msie6(agent),
        Disable::Degradation => false,
        Disable::Agent(regex) => regex.is_match(agent).unwrap_or(false),
    })
}

fn is_for_proxies(proxied: Proxied, request: &Headers, response: &Response) -> bool {
    if proxied == Proxied::default() {
        return false;
    }
    if proxied.any || proxied.auth && request.contains("Authorization") {
        return true;
    }
    if let Some(expires) = response.headers.get("Expires") {
        let now = unix_time().as_secs() as i64;
        let date = response.headers.get("Date").and_then(|date| parse_http_date(date));
        return proxied.expired
            && parse_http_date(expires).is_some_and(|time| time < date.unwrap_or(now));
    }
    if response.headers.contains("Cache-Control") {
        let says = |word: &[u8]| {
            let mut values = response.headers.all(b"Cache-Control");
            values
                .any(|value| value.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word)))
        };
        return proxied.no_cache && says(b"no-cache")
            || proxied.no_store && says(b"no-store")
            || proxied.private && says(b"private");
    }
    let dated = response.last_modified.is_some();
    let tagged = response.headers.contains("ETag");
    !(proxied.no_last_modified && dated || proxied.no_etag && tagged)
}

/// Internet Explorer up to 6, without the service pack that mended it.
fn is_msie6(agent: &[u8]) -> bool {
    let Some(at) = memchr::memmem::find(agent, b"MSIE ") else { return false };
    let version = agent.get(at + 5..).unwrap_or_default();
    match version {
        [b'4' | b'5', b'.', ..] => true,
        [b'6', b'.', ..] => memchr::memmem::find(version, b"SV1").is_none(),
        _ => false,
    }
}
