//! range: parts of an answer.

mod multipart;
mod request;

use std::collections::VecDeque;
use std::ops::Range;

use multipart::{Multipart, content_range};
use request::Wanted;

use crate::body::{Body, FileSlice, Part};
use crate::date::parse_http_date;
use crate::exchange::Exchange;
use crate::head::Version;
use crate::headers::Headers;
use crate::response::Response;
use crate::stop::Stop;

/// Cuts out of an answer what the client asks for, or says that it may ask (nginx:
/// `ngx_http_range_header_filter`).
pub(super) fn apply(ex: &Exchange<'_>, response: &mut Response) -> Result<(), Stop> {
    let most = ex.location.not_modified.max_ranges as usize;
    let most = if response.single_range { most.min(1) } else { most };
    let Some(length) = response.content_length else { return Ok(()) };
    let whole =
        response.slices.is_some() || !matches!(response.body, Body::Stream(_) | Body::Tunnel(_));
    let cuttable = response.allow_ranges && response.status == 200 && whole;
    if !cuttable || ex.request.version < Version::Http10 || most == 0 {
        return Ok(());
    }
    let asked = ex.request.headers.get("Range").filter(|_| is_still_right(ex, response));
    match asked.map_or(Wanted::Whole, |range| request::parse(range, length, most)) {
        Wanted::Whole => {
            response.headers.push("Accept-Ranges", "bytes");
        }
        Wanted::Parts(parts) => cut(response, &parts, length),
        Wanted::Unsatisfiable => {
            let headers = std::mem::take(&mut response.headers);
            return Err(unsatisfiable(headers, length));
        }
    }
    Ok(())
}

/// Whether the answer is the one that the client has parts of already (`If-Range`).
fn is_still_right(ex: &Exchange<'_>, response: &Response) -> bool {
    let Some(validator) = ex.request.headers.get("If-Range") else { return true };
    if validator.len() >= 2 && validator.ends_with(b"\"") {
        return response.headers.get("ETag") == Some(validator);
    }
    let modified = response.modified();
    modified.is_some() && parse_http_date(validator) == modified
}

fn cut(response: &mut Response, parts: &[Range<u64>], length: u64) {
    response.status = 206;
    response.reason = None;
    let body = std::mem::take(&mut response.body);
    if let [part] = parts {
        response.headers.push("Content-Range", content_range(part, length));
        response.content_length = Some(part.end - part.start);
        if let Some(window) = &response.slices {
            window.set((part.start, part.end));
            response.body = body;
            return;
        }
        let mut pieces = VecDeque::new();
        slice(&body, part, &mut pieces);
        response.body = match pieces.pop_front() {
            None => Body::Empty,
            Some(Part::Bytes(bytes)) if pieces.is_empty() => Body::Bytes(bytes),
            Some(Part::File(file)) if pieces.is_empty() => Body::File(file),
            Some(first) => {
                pieces.push_front(first);
                Body::Parts(pieces)
            }
        };
        return;
    }
    let content_type = response.content_type.as_deref();
    let multipart = Multipart::new(content_type, response.charset.as_deref(), length);
    response.content_type = Some(multipart.content_type());
    response.charset = None;
    let mut pieces = VecDeque::with_capacity(2 * parts.len() + 1);
    let mut total = 0;
    for part in parts {
        let before = multipart.before(part);
        total += before.len() as u64 + (part.end - part.start);
        pieces.push_back(Part::Bytes(before));
        slice(&body, part, &mut pieces);
    }
    let end = multipart.end();
    response.content_length = Some(total + end.len() as u64);
    pieces.push_back(Part::Bytes(end));
    // The answer to HEAD has no body to cut.
    response.body = if body.is_empty() { Body::Empty } else { Body::Parts(pieces) };
}

/// Takes a range out of a body that is known in full.
fn slice(body: &Body, range: &Range<u64>, out: &mut VecDeque<Part>) {
    match body {
        Body::Bytes(bytes) => slice_part(&Part::Bytes(bytes.clone()), 0, range, out),
        Body::File(file) => slice_part(&Part::File(file.clone()), 0, range, out),
        Body::Parts(parts) => {
            let mut start = 0;
            for part in parts {
                slice_part(part, start, range, out);
                start += part.len();
            }
        }
        Body::Empty | Body::Stream(_) | Body::Tunnel(_) => {}
    }
}

/// Takes what of the range lies in a part that begins at `start`.
fn slice_part(part: &Part, start: u64, range: &Range<u64>, out: &mut VecDeque<Part>) {
    let from = range.start.max(start);
    let to = range.end.min(start + part.len());
    if from >= to {
        return;
    }
    let (skip, length) = (from - start, to - from);
    out.push_back(match part {
        Part::File(file) => {
            Part::File(FileSlice { offset: file.offset + skip, length, ..file.clone() })
        }
        Part::Bytes(bytes) => Part::Bytes(bytes.slice(skip as usize..(skip + length) as usize)),
    });
}

/// The answer holds nothing of what was asked for (nginx: `ngx_http_range_not_satisfiable`).
fn unsatisfiable(headers: Headers, length: u64) -> Stop {
    let mut refusal = Response { headers, ..Response::new(416) };
    refusal.headers.remove("ETag");
    refusal.headers.remove("Last-Modified");
    refusal.headers.push("Content-Range", format!("bytes */{length}"));
    Stop::Special(Box::new(refusal))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_text(parts: &[Range<u64>]) -> Response {
        let body = Body::Parts([Part::Bytes("0123".into()), Part::Bytes("456789".into())].into());
        let mut response = Response::new(200).with_type("text/plain").with_body(body);
        cut(&mut response, parts, 10);
        response
    }

    #[test]
    fn one_part_is_the_body() {
        let response = cut_text(std::slice::from_ref(&(1..3)));
        assert_eq!((response.status, response.content_length), (206, Some(2)));
        assert_eq!(response.headers.get("Content-Range").unwrap(), "bytes 1-2/10");
        assert!(matches!(response.body, Body::Bytes(bytes) if bytes == "12"));
        let response = cut_text(std::slice::from_ref(&(3..5)));
        assert!(matches!(response.body, Body::Parts(parts) if parts.len() == 2));
    }

    #[test]
    fn several_parts_are_set_apart_and_the_length_is_that_of_all() {
        let response = cut_text(&[0..1, 8..10]);
        assert_eq!(response.content_length, response.body.len());
        assert!(response.content_type.unwrap().starts_with(b"multipart/byteranges; boundary="));
        let Body::Parts(parts) = response.body else { panic!("not in parts") };
        let short: Vec<_> = parts.iter().filter(|part| part.len() < 3).collect();
        assert!(matches!(short[..], [Part::Bytes(a), Part::Bytes(b)] if a == "0" && b == "89"));
    }

    #[test]
    fn nothing_of_it_is_told_with_the_length() {
        let mut headers = Headers::new();
        headers.push("ETag", "\"a\"");
        headers.push("X-Other", "1");
        let Stop::Special(refusal) = unsatisfiable(headers, 10) else { panic!("not special") };
        assert_eq!(refusal.headers.get("Content-Range").unwrap(), "bytes */10");
        assert_eq!((refusal.status, refusal.headers.len()), (416, 2));
    }
}
