//! range: parts of an answer.

mod multipart;
mod request;

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;

use self::multipart::{Multipart, content_range};
use self::request::{Wanted, parse};
use crate::body::{Body, FileSlice, Part};
use crate::date::parse_http_date;
use crate::error_page;
use crate::exchange::Exchange;
use crate::head::Version;
use crate::response::Response;
use crate::server_tokens::signature;

/// Cuts an answer down to what is asked for (nginx: `ngx_http_range_header_filter`).
pub(super) fn apply(ex: &Exchange<'_>, response: &mut Response) {
    let most = ex.location.not_modified.max_ranges as usize;
    let Some(length) = response.content_length else { return };
    let streamed = matches!(response.body, Body::Stream(_) | Body::Tunnel(_));
    let old = ex.request.version < Version::Http10;
    if response.status != 200 || !response.allow_ranges || most == 0 || streamed || old {
        return;
    }
    let wanted = match ex.request.headers.get("Range") {
        Some(range) if is_current(ex, response) => parse(range, length, most),
        _ => Wanted::Whole,
    };
    match wanted {
        Wanted::Whole => response.headers.push("Accept-Ranges", "bytes"),
        Wanted::Unsatisfiable => refuse(ex, response, length),
        Wanted::Parts(parts) => cut(response, &parts, length),
    }
}

/// Whether the answer is the one that `If-Range`, where there is one, speaks of.
fn is_current(ex: &Exchange<'_>, response: &Response) -> bool {
    let Some(if_range) = ex.request.headers.get("If-Range") else { return true };
    if if_range.len() >= 2 && if_range.ends_with(b"\"") {
        return response.headers.get("ETag") == Some(if_range);
    }
    response.last_modified.is_some() && parse_http_date(if_range) == response.last_modified
}

fn refuse(ex: &Exchange<'_>, response: &mut Response, length: u64) {
    response.status = 416;
    response.reason = None;
    response.charset = None;
    response.content_type = Some(Bytes::from_static(b"text/html"));
    response.last_modified = None;
    response.headers.remove("ETag");
    response.headers.push("Content-Range", format!("bytes */{length}"));
    let page = error_page::page(416, signature(ex.location)).unwrap_or_default();
    response.content_length = Some(page.len() as u64);
    response.body = Body::Bytes(page);
}

fn cut(response: &mut Response, parts: &[Range<u64>], length: u64) {
    response.status = 206;
    response.reason = None;
    let empty = matches!(response.body, Body::Empty);
    let mut out = VecDeque::new();
    if let [part] = parts {
        response.headers.push("Content-Range", content_range(part, length));
        response.content_length = Some(part.end - part.start);
        take(&response.body, part, &mut out);
    } else {
        let (kind, charset) = (response.content_type.as_deref(), response.charset.as_deref());
        let multipart = Multipart::new(kind, charset, length);
        let mut size = 0;
        for part in parts {
            let before = multipart.before(part);
            size += before.len() as u64 + (part.end - part.start);
            out.push_back(Part::Bytes(before));
            take(&response.body, part, &mut out);
        }
        let end = multipart.end();
        response.content_length = Some(size + end.len() as u64);
        out.push_back(Part::Bytes(end));
        response.content_type = Some(multipart.content_type());
        response.charset = None;
    }
    response.body = match out.pop_front().filter(|_| !empty) {
        None => Body::Empty,
        Some(Part::Bytes(bytes)) if out.is_empty() => Body::Bytes(bytes),
        Some(Part::File(slice)) if out.is_empty() => Body::File(slice),
        Some(first) => {
            out.push_front(first);
            Body::Parts(out)
        }
    };
}

/// Takes a range out of a body that is known in full.
fn take(body: &Body, range: &Range<u64>, out: &mut VecDeque<Part>) {
    match body {
        Body::Bytes(bytes) => take_part(&Part::Bytes(bytes.clone()), 0, range, out),
        Body::File(slice) => take_part(&Part::File(slice.clone()), 0, range, out),
        Body::Parts(parts) => {
            let mut start = 0;
            for part in parts {
                take_part(part, start, range, out);
                start += part.len();
            }
        }
        Body::Empty | Body::Stream(_) | Body::Tunnel(_) => {}
    }
}

/// Takes what of the range lies in a part that begins at `start`.
fn take_part(part: &Part, start: u64, range: &Range<u64>, out: &mut VecDeque<Part>) {
    let from = range.start.max(start);
    let to = range.end.min(start + part.len());
    if from >= to {
        return;
    }
    let (skip, length) = (from - start, to - from);
    out.push_back(match part {
        Part::File(slice) => {
            Part::File(FileSlice { offset: slice.offset + skip, length, ..slice.clone() })
        }
        Part::Bytes(bytes) => Part::Bytes(bytes.slice(skip as usize..(skip + length) as usize)),
    });
}
