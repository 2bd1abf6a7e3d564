//! `not_modified`: answers that the client has already, or no longer wants.

use bytes::Bytes;
use tidegate_config::http::not_modified::IfModifiedSince;

use crate::body::Body;
use crate::date::parse_http_date;
use crate::error_page;
use crate::exchange::Exchange;
use crate::headers::Headers;
use crate::response::Response;
use crate::server_tokens::signature;

/// nginx: `ngx_http_not_modified_header_filter`
pub(super) fn apply(ex: &Exchange<'_>, response: &mut Response) {
    if response.status != 200 {
        return;
    }
    match judge(&ex.request.headers, response, ex.location.not_modified.if_modified_since) {
        Verdict::Send => {}
        Verdict::Failed => {
            let page = error_page::page(412, signature(ex.location)).unwrap_or_default();
            *response = Response { close: response.close, ..Response::new(412) }
                .with_type("text/html")
                .with_body(Body::Bytes(page));
        }
        Verdict::NotModified => {
            response.status = 304;
            response.reason = None;
            response.content_type = None;
            response.charset = None;
            response.content_length = None;
            response.allow_ranges = false;
            response.headers.remove("Accept-Ranges");
            response.headers.remove("Content-Encoding");
            response.body = Body::Empty;
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Send,
    NotModified,
    Failed,
}

fn judge(request: &Headers, response: &Response, rule: IfModifiedSince) -> Verdict {
    let etag = response.headers.get("ETag");
    let changed = response.last_modified;
    if let Some(since) = request.get("If-Unmodified-Since") {
        let kept = parse_http_date(since).zip(changed).is_some_and(|(since, time)| since >= time);
        if !kept {
            return Verdict::Failed;
        }
    }
    if request.get("If-Match").is_some_and(|list| !names(list, etag, false)) {
        return Verdict::Failed;
    }
    let since = request.get("If-Modified-Since");
    let none = request.get("If-None-Match");
    if since.is_none() && none.is_none() {
        return Verdict::Send;
    }
    if since.is_some_and(|since| is_modified(since, changed, rule)) {
        return Verdict::Send;
    }
    if none.is_some_and(|list| !names(list, etag, true)) {
        return Verdict::Send;
    }
    Verdict::NotModified
}

fn is_modified(since: &[u8], changed: Option<i64>, rule: IfModifiedSince) -> bool {
    let Some(changed) = changed else { return true };
    let since = parse_http_date(since);
    match rule {
        IfModifiedSince::Off => true,
        IfModifiedSince::Exact => since != Some(changed),
        IfModifiedSince::Before => since.is_none_or(|since| since < changed),
    }
}

/// Whether a list of tags names this one (nginx: `ngx_http_test_if_match`).
fn names(list: &[u8], etag: Option<&Bytes>, weak: bool) -> bool {
    if list == b"*" {
        return true;
    }
    let Some(etag) = etag else { return false };
    let strip = |tag: &'_ [u8]| -> usize { if weak && tag.starts_with(b"W/") { 2 } else { 0 } };
    let etag = etag.get(strip(etag)..).unwrap_or_default();
    let mut rest = list;
    while !rest.is_empty() {
        rest = rest.get(strip(rest)..).unwrap_or_default();
        if let Some(behind) = rest.strip_prefix(etag)
            && matches!(behind.trim_ascii_start().first(), None | Some(b','))
        {
            return true;
        }
        let comma = memchr::memchr(b',', rest).unwrap_or(rest.len());
        rest = rest.get(comma..).unwrap_or_default();
        let blank = rest.iter().take_while(|byte| b" \t,".contains(byte)).count();
        rest = rest.get(blank..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn verdict(fields: &[(&'static str, &'static str)], rule: IfModifiedSince) -> Verdict {
        let mut request = Headers::new();
        for (name, value) in fields {
            request.push(*name, *value);
        }
        let mut response = Response { last_modified: Some(784_111_777), ..Response::new(200) };
        response.headers.push("ETag", "\"a-1\"");
        judge(&request, &response, rule)
    }

    #[test]
    fn an_answer_the_client_has_is_not_sent() {
        let exact = |fields: &[_]| verdict(fields, IfModifiedSince::Exact);
        assert_eq!(exact(&[]), Verdict::Send);
        assert_eq!(exact(&[("If-Modified-Since", TIME)]), Verdict::NotModified);
        assert_eq!(exact(&[("If-Modified-Since", LATER)]), Verdict::Send);
        assert_eq!(exact(&[("If-Modified-Since", "x")]), Verdict::Send);
        assert_eq!(exact(&[("If-None-Match", "\"b\", \"a-1\"")]), Verdict::NotModified);
        assert_eq!(exact(&[("If-None-Match", "W/\"a-1\"")]), Verdict::NotModified);
        assert_eq!(exact(&[("If-None-Match", "*")]), Verdict::NotModified);
        assert_eq!(exact(&[("If-None-Match", "\"a-12\",\"a\"")]), Verdict::Send);
        let both = [("If-None-Match", "\"b\""), ("If-Modified-Since", TIME)];
        assert_eq!(exact(&both), Verdict::Send);
        let later = [("If-Modified-Since", LATER)];
        assert_eq!(verdict(&later, IfModifiedSince::Before), Verdict::NotModified);
        assert_eq!(verdict(&[("If-Modified-Since", TIME)], IfModifiedSince::Off), Verdict::Send);
    }

    #[test]
    fn an_answer_the_client_no_longer_wants_is_refused() {
        let exact = |fields: &[_]| verdict(fields, IfModifiedSince::Exact);
        assert_eq!(exact(&[("If-Match", "\"a-1\"")]), Verdict::Send);
        assert_eq!(exact(&[("If-Match", "W/\"a-1\"")]), Verdict::Failed);
        assert_eq!(exact(&[("If-Match", "\"b\"")]), Verdict::Failed);
        assert_eq!(exact(&[("If-Unmodified-Since", TIME)]), Verdict::Send);
        assert_eq!(
            exact(&[("If-Unmodified-Since", "Sat, 05 Nov 1994 08:49:37 GMT")]),
            Verdict::Failed
        );
    }
}
