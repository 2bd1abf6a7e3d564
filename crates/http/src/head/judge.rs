//! What fields mean for the request as a whole (nginx: `ngx_http_headers_in` and
//! `ngx_http_process_request_header`).

use bytes::Bytes;
use http::Method;

use super::fault::text;
use super::host::normalise_host;
use super::{HeadFault, RequestHead, Version};
use crate::headers::Header;

/// Whether a field may come once, by its name.
fn is_unique(name: &[u8]) -> bool {
    let is = |unique: &[u8]| name.eq_ignore_ascii_case(unique);
    match name.len() {
        6 => is(b"Expect"),
        8 => is(b"If-Match") || is(b"If-Range"),
        13 => is(b"If-None-Match") || is(b"Content-Range") || is(b"Authorization"),
        14 => is(b"Content-Length"),
        17 => is(b"If-Modified-Since") || is(b"Transfer-Encoding"),
        19 => is(b"If-Unmodified-Since"),
        _ => false,
    }
}

/// Judges a field that is about to join the others.
pub(super) fn take_field(
    head: &mut RequestHead,
    name: &[u8],
    value: &Bytes,
) -> Result<(), HeadFault> {
    if name.eq_ignore_ascii_case(b"Host") {
        if let Some(previous) = previous(head, name) {
            return Err(HeadFault::DuplicateHost(shown(name, value), previous));
        }
        let (host, port) = normalise_host(value).ok_or(HeadFault::Host)?;
        if head.host.is_none() {
            head.host = Some(host);
            head.port = port;
        }
    } else if is_unique(name)
        && let Some(previous) = previous(head, name)
    {
        return Err(HeadFault::Duplicate(shown(name, value), previous));
    }
    Ok(())
}

/// Judges the fields together, when all are there.
pub(super) fn finish(head: &mut RequestHead) -> Result<(), HeadFault> {
    if head.version > Version::Http10 && !head.headers.contains("Host") {
        return Err(HeadFault::NoHost);
    }
    if let Some(length) = head.headers.get("Content-Length") {
        head.content_length = Some(content_length(length).ok_or(HeadFault::ContentLength)?);
    }
    if let Some(coding) = head.headers.get("Transfer-Encoding") {
        if head.version < Version::Http11 {
            return Err(HeadFault::Http10TransferEncoding);
        }
        if !coding.eq_ignore_ascii_case(b"chunked") {
            return Err(HeadFault::TransferEncoding(text(coding)));
        }
        if head.content_length.is_some() {
            return Err(HeadFault::TwoLengths);
        }
        head.chunked = true;
    }
    match head.method {
        Method::CONNECT => return Err(HeadFault::Refused("CONNECT")),
        Method::TRACE => return Err(HeadFault::Refused("TRACE")),
        _ => head.keep_alive = keep_alive(head),
    }
    Ok(())
}

/// The last `Connection` that says something decides, as in nginx.
fn keep_alive(head: &RequestHead) -> bool {
    let says = |value: &[u8], word: &[u8]| {
        value.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
    };
    let word = |value: &Bytes| match () {
        () if says(value, b"close") => Some(false),
        () if says(value, b"keep-alive") => Some(true),
        () => None,
    };
    let usual = head.version > Version::Http10;
    if !head.headers.may_hold(b"Connection") {
        return usual;
    }
    head.headers.all(b"Connection").filter_map(word).last().unwrap_or(usual)
}

/// The value of `Content-Length`: a decimal number of at most 63 bits, digits alone.
pub fn content_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    let length = value.iter().try_fold(0u64, |length, &digit| {
        let digit = digit.checked_sub(b'0').filter(|&digit| digit <= 9)?;
        length.checked_mul(10)?.checked_add(u64::from(digit))
    })?;
    i64::try_from(length).is_ok().then_some(length)
}

fn previous(head: &RequestHead, name: &[u8]) -> Option<String> {
    if !head.headers.may_hold(name) {
        return None;
    }
    let same = |other: &&Header| other.name.eq_ignore_ascii_case(name);
    let other = head.headers.iter().find(same)?;
    Some(shown(&other.name, &other.value))
}

fn shown(name: &[u8], value: &[u8]) -> String {
    text(&[name, b": ", value].concat())
}
