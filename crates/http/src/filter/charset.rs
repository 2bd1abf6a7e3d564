//! charset: what `Content-Type` says of it, and conversion into it.

mod recode;

use bytes::Bytes;
use http::Method;
use tidegate_config::block::{Http, Location};
use tidegate_config::http::charset::{CharsetMap, Recode};
use tidegate_config::http::error_log::Level;
use tidegate_config::value::template::Template;

use super::transform::{transform, whole};
use crate::body::Body;
use crate::exchange::Exchange;
use crate::response::Response;
use recode::Recoder;

/// Names the charset of an answer, and converts what is in another (nginx:
/// `ngx_http_charset_header_filter`). The answer to a subrequest is converted into that of the page
/// it becomes a part of.
pub(super) fn apply(ex: &mut Exchange<'_>, response: &mut Response) {
    let location = ex.location;
    let unsaid = location.charset.charset.is_none() && response.wanted_charset.is_none();
    if unsaid && !ex.subrequest {
        return;
    }
    let Some(to) = destination(ex, response).filter(|to| !to.is_empty()) else { return };
    let from = match own(response) {
        Some(own) => own,
        None => location.charset.source.as_ref().map(|name| ex.render(name)).unwrap_or_default(),
    };
    if from.is_empty() || from.eq_ignore_ascii_case(&to) {
        return name(ex, response, to);
    }
    if is_encoded(response) {
        return;
    }
    let Some(recode) = CharsetMap::between(&ex.http.charset_maps, &from, &to) else {
        let (from, to) = (String::from_utf8_lossy(&from), String::from_utf8_lossy(&to));
        let text = format!("no \"charset_map\" between the charsets \"{from}\" and \"{to}\"");
        ex.log(Level::Error, &text);
        return;
    };
    name(ex, response, to);
    if !matches!(*recode, Recode::Bytes(_)) {
        response.content_length = None;
    }
    if ex.method != Method::HEAD || ex.subrequest {
        response.body = match std::mem::take(&mut response.body) {
            Body::Empty => Body::Empty,
            // What stays known in full can be cut into ranges.
            Body::Bytes(bytes) => Body::Bytes(whole(Recoder::new(recode), &bytes)),
            body => Body::Stream(transform(body.into_stream(), Recoder::new(recode))),
        };
    }
}

/// The charset that an answer is to be in (nginx: `ngx_http_destination_charset`).
fn destination(ex: &mut Exchange<'_>, response: &Response) -> Option<Bytes> {
    let location = ex.location;
    let content_type = response.content_type.as_ref()?;
    if ex.subrequest {
        return ex.page.as_ref().and_then(|page| page.charset.borrow().clone());
    }
    if let Some(charset) = response.wanted_charset.as_deref().filter(|name| !name.is_empty()) {
        if is_known(ex.http, charset) {
            return Some(charset.clone());
        }
        let charset = String::from_utf8_lossy(charset);
        ex.log(Level::Error, &format!("unknown charset \"{charset}\" to override"));
        return None;
    }
    let charset = location.charset.charset.as_ref()?;
    let wanted = match own(response) {
        Some(_) => location.charset.override_upstream,
        None => location.charset.types.contains(essence(content_type)),
    };
    wanted.then(|| ex.render(charset))
}

/// Whether the configuration speaks of a charset anywhere (nginx: `ngx_http_get_charset`).
fn is_known(http: &Http, charset: &[u8]) -> bool {
    let is = |name: &[u8]| name.eq_ignore_ascii_case(charset);
    let said = |location: &Location| {
        let names = [&location.charset.charset, &location.charset.source];
        names.into_iter().flatten().filter_map(Template::constant).any(&is)
    };
    http.charset_maps.iter().any(|map| is(map.from.as_bytes()) || is(map.to.as_bytes()))
        || http.servers.iter().any(|server| server.location.any(&said))
}

fn is_encoded(response: &Response) -> bool {
    response.headers.get("Content-Encoding").is_some_and(|coding| !coding.is_empty())
}

/// nginx: `ngx_http_set_charset`
fn name(ex: &Exchange<'_>, response: &mut Response, charset: Bytes) {
    if ex.subrequest {
        return;
    }
    if let Some(content_type) = &mut response.content_type
        && let Some(charset) = charset_of(content_type)
    {
        let end = charset.start;
        content_type.truncate(end);
    }
    // Old browsers took a redirect's charset for that of the page it leads to.
    let redirect = matches!(response.status, 301 | 302);
    response.charset = Some(charset).filter(|_| !redirect);
}

/// The charset that an answer names itself.
pub(super) fn own(response: &Response) -> Option<Bytes> {
    let named = || {
        let content_type = response.content_type.as_ref()?;
        charset_of(content_type).map(|charset| content_type.slice_ref(charset.name))
    };
    response.charset.clone().or_else(named)
}

/// A type without its parameters.
pub(super) fn essence(content_type: &[u8]) -> &[u8] {
    let end = memchr::memchr(b';', content_type).unwrap_or(content_type.len());
    content_type.get(..end).unwrap_or_default().trim_ascii_end()
}

/// Where the charset stands in a type.
struct Named<'a> {
    /// The semicolon before it.
    start: usize,
    /// Its name, without quotes.
    name: &'a [u8],
}

fn charset_of(content_type: &[u8]) -> Option<Named<'_>> {
    let mut start = 0;
    for (number, parameter) in content_type.split(|&byte| byte == b';').enumerate() {
        let end = start + parameter.len();
        if number > 0
            && let Some((name, value)) = parameter.trim_ascii().split_at_checked(8)
            && name.eq_ignore_ascii_case(b"charset=")
        {
            let value = value.strip_prefix(b"\"").unwrap_or(value);
            let value = value.strip_suffix(b"\"").unwrap_or(value);
            return Some(Named { start: start.saturating_sub(1), name: value });
        }
        start = end + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_taken_apart() {
        assert_eq!(essence(b"text/html ; charset=x"), b"text/html");
        assert_eq!(essence(b"text/html"), b"text/html");
        let named = charset_of(b"text/html; a=b; Charset=\"x\"").unwrap();
        assert_eq!((named.name, named.start), (&b"x"[..], 14));
        assert!(charset_of(b"text/html").is_none() && charset_of(b"charset=x").is_none());
    }
}
