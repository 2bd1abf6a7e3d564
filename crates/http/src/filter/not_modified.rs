//! `if_modified_since`: answers that the client has already, or did not mean.

use tidegate_config::http::not_modified::IfModifiedSince;

use crate::body::Body;
use crate::date::parse_http_date;
use crate::exchange::Exchange;
use crate::response::Response;
use crate::stop::Stop;

/// Judges the conditions of a request: 412 where the answer is not what the client holds it for,
/// 304 where the client has it (nginx: `ngx_http_not_modified_header_filter`).
pub(super) fn apply(ex: &Exchange<'_>, response: &mut Response) -> Result<(), Stop> {
    if response.status != 200 || response.judged {
        return Ok(());
    }
    let headers = &ex.request.headers;
    let changed = response.modified();
    let unmodified = headers.get("If-Unmodified-Since");
    if unmodified.is_some_and(|since| !is_unmodified(since, changed)) {
        return Err(Stop::Status(412));
    }
    let etag = response.headers.get("ETag").map(AsRef::as_ref);
    if headers.get("If-Match").is_some_and(|list| !matches(list, etag, Compare::Strong)) {
        return Err(Stop::Status(412));
    }
    let since = headers.get("If-Modified-Since");
    let none_match = headers.get("If-None-Match");
    let rule = ex.location.not_modified.if_modified_since;
    let modified = since.is_some_and(|since| is_modified(since, changed, rule));
    let other = none_match.is_some_and(|list| !matches(list, etag, Compare::Weak));
    if (since.is_some() || none_match.is_some()) && !modified && !other {
        say_not_modified(response);
    }
    Ok(())
}

fn say_not_modified(response: &mut Response) {
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

fn is_unmodified(since: &[u8], last_modified: Option<i64>) -> bool {
    match (parse_http_date(since), last_modified) {
        (Some(since), Some(modified)) => since >= modified,
        _ => false,
    }
}

fn is_modified(since: &[u8], last_modified: Option<i64>, rule: IfModifiedSince) -> bool {
    let (Some(since), Some(modified)) = (parse_http_date(since), last_modified) else {
        return true;
    };
    match rule {
        IfModifiedSince::Off => true,
        IfModifiedSince::Exact => since != modified,
        IfModifiedSince::Before => since < modified,
    }
}

/// How tags are compared (RFC 9110, section 8.8.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Strong,
    /// A `W/` in front does not count.
    Weak,
}

/// Whether a list of tags is `*` or holds this one (nginx: `ngx_http_test_if_match`).
fn matches(list: &[u8], etag: Option<&[u8]>, compare: Compare) -> bool {
    if list == b"*" {
        return true;
    }
    let Some(etag) = etag else { return false };
    let core = |tag: &[u8]| match tag {
        [b'W', b'/', rest @ ..] if compare == Compare::Weak => rest.to_vec(),
        tag => tag.to_vec(),
    };
    let etag = core(etag);
    // A comma within a tag cuts it in two, as in nginx.
    let mut rest = list;
    while !rest.is_empty() {
        let tag = core(rest);
        if let Some(behind) = tag.strip_prefix(etag.as_slice()) {
            let behind = behind.trim_ascii_start();
            if behind.is_empty() || behind.starts_with(b",") {
                return true;
            }
        }
        let comma = rest.iter().position(|&byte| byte == b',').unwrap_or(rest.len());
        rest = rest.get(comma..).unwrap_or_default();
        let blank = rest.iter().take_while(|byte| b" \t,".contains(byte)).count();
        rest = rest.get(blank..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tag_is_found_in_a_list() {
        for (list, etag, strong, weak) in [
            ("*", "\"a\"", true, true),
            ("\"a\"", "\"a\"", true, true),
            ("\"b\" , \"a\" , \"c\"", "\"a\"", true, true),
            ("W/\"a\"", "\"a\"", false, true),
            ("\"a\"", "W/\"a\"", false, true),
            ("W/\"a\"", "W/\"a\"", true, true),
            ("\"b\"", "\"a\"", false, false),
            ("\"a\"b", "\"a\"", false, false),
            ("a", "\"a\"", false, false),
            ("", "\"a\"", false, false),
            (",,\"a\",", "\"a\"", true, true),
        ] {
            let etag = Some(etag.as_bytes());
            assert_eq!(matches(list.as_bytes(), etag, Compare::Strong), strong, "{list}");
            assert_eq!(matches(list.as_bytes(), etag, Compare::Weak), weak, "{list}");
        }
        assert!(matches(b"*", None, Compare::Strong) && !matches(b"\"a\"", None, Compare::Weak));
    }

    proptest! {
        #[test]
        fn a_list_holds_what_was_put_into_it(
            tags in prop::collection::vec(("(W/)?", "[a-z]{0,3}"), 0..5),
            wanted in "[a-z]{0,3}",
            between in "[ ,\t]{0,2},[ ]{0,2}",
        ) {
            let texts: Vec<String> =
                tags.iter().map(|(weak, tag)| format!("{weak}\"{tag}\"")).collect();
            let (list, etag) = (texts.join(&between), format!("\"{wanted}\""));
            let weak = tags.iter().any(|(_, tag)| *tag == wanted);
            let strong = texts.contains(&etag);
            let found = |how| matches(list.as_bytes(), Some(etag.as_bytes()), how);
            prop_assert_eq!((found(Compare::Weak), found(Compare::Strong)), (weak, strong));
        }

        #[test]
        fn times_are_compared_by_their_seconds(since in 0..20_i64, modified in 0..20_i64) {
            use IfModifiedSince::{Before, Exact, Off};
            let date = crate::date::http_date(since);
            let is_new = |rule| is_modified(&date, Some(modified), rule);
            prop_assert_eq!((is_new(Off), is_new(Exact)), (true, since != modified));
            prop_assert_eq!(is_new(Before), since < modified);
            prop_assert_eq!(is_unmodified(&date, Some(modified)), modified <= since);
        }

        #[test]
        fn nothing_that_a_client_sends_makes_it_panic(list in ".{0,30}", date in ".{0,30}") {
            let _found = matches(list.as_bytes(), Some(b"\"a\""), Compare::Weak);
            let _modified = is_modified(date.as_bytes(), Some(0), IfModifiedSince::Before);
        }
    }

    #[test]
    fn times_are_compared_as_told() {
        use IfModifiedSince::{Before, Exact, Off};
        let date = b"Thu, 01 Jan 1970 00:00:10 GMT";
        assert!(!is_modified(date, Some(10), Exact) && is_modified(date, Some(9), Exact));
        assert!(!is_modified(date, Some(9), Before) && is_modified(date, Some(11), Before));
        assert!(is_modified(date, Some(10), Off) && is_modified(date, None, Before));
        assert!(is_modified(b"rubbish", Some(10), Before));
        assert!(is_unmodified(date, Some(10)) && !is_unmodified(date, Some(11)));
        assert!(!is_unmodified(b"rubbish", Some(10)) && !is_unmodified(date, None));
    }
}
