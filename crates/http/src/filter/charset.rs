//! charset: what `Content-Type` says of it.

use crate::exchange::Exchange;
use crate::response::Response;

/// Names the charset of an answer that does not name one itself (nginx:
/// `ngx_http_charset_header_filter`, without conversion).
pub(super) fn apply(ex: &mut Exchange<'_>, response: &mut Response) {
    let location = ex.location;
    let Some(charset) = &location.charset.charset else { return };
    let Some(content_type) = &response.content_type else { return };
    let said = response.charset.is_some() || names_charset(content_type);
    // Old browsers took a redirect's charset for that of the page it leads to.
    let redirect = matches!(response.status, 301 | 302);
    if said || redirect || !location.charset.types.contains(essence(content_type)) {
        return;
    }
    let charset = ex.render(charset);
    if !charset.is_empty() {
        response.charset = Some(charset);
    }
}

/// A type without its parameters.
pub(super) fn essence(content_type: &[u8]) -> &[u8] {
    let end = memchr::memchr(b';', content_type).unwrap_or(content_type.len());
    content_type.get(..end).unwrap_or_default().trim_ascii_end()
}

fn names_charset(content_type: &[u8]) -> bool {
    let mut parameters = content_type.split(|&byte| byte == b';').skip(1);
    parameters.any(|parameter| {
        let name = parameter.trim_ascii_start().get(..8);
        name.is_some_and(|name| name.eq_ignore_ascii_case(b"charset="))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_taken_apart() {
        assert_eq!(essence(b"text/html ; charset=x"), b"text/html");
        assert_eq!(essence(b"text/html"), b"text/html");
        assert!(names_charset(b"text/html; a=b; Charset=x"));
        assert!(!names_charset(b"text/html") && !names_charset(b"charset=x"));
    }
}
