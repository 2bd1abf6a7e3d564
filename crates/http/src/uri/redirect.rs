//! URIs that an upstream names for an internal redirect (`X-Accel-Redirect`).

use bytes::Bytes;

use super::Uri;
use super::escape::unescape;

/// Reads a URI from an upstream: its path is decoded, but nothing is resolved; `None` where it is
/// empty, holds a NUL or leads upwards (nginx: `ngx_http_parse_unsafe_uri`).
pub fn parse_unsafe(uri: &Bytes) -> Option<Uri> {
    let end = memchr::memchr(b'?', uri).unwrap_or(uri.len());
    let path = uri.slice(..end);
    if path.is_empty() || !is_safe(&path) {
        return None;
    }
    let decoded = unescape(&path).into_owned();
    if !is_safe(&decoded) {
        return None;
    }
    let args = (end < uri.len()).then(|| uri.slice(end + 1..));
    Some(Uri { path: Bytes::from(decoded), args })
}

fn is_safe(path: &[u8]) -> bool {
    !path.contains(&0) && path.split(|&byte| byte == b'/').all(|segment| segment != b"..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded_and_must_not_lead_upwards() {
        let path = |uri: &'static str| {
            parse_unsafe(&Bytes::from_static(uri.as_bytes())).map(|uri| uri.path)
        };
        for safe in ["/a", "/a/..b", "a", "/a/./b", "/a//b", "/a%20b"] {
            assert!(path(safe).is_some(), "{safe}");
        }
        for unsafe_uri in
            ["", "?a", "..", "../a", "/a/../b", "/a/..", "/%2e%2e/b", "/%00", "/a%2f.."]
        {
            assert_eq!(path(unsafe_uri), None, "{unsafe_uri}");
        }
        assert_eq!(path("/a%20b?c%20").unwrap(), "/a b");
        let uri = parse_unsafe(&Bytes::from_static(b"/a%3fb?c%20")).unwrap();
        assert_eq!((uri.path.as_ref(), uri.args.unwrap().as_ref()), (&b"/a?b"[..], &b"c%20"[..]));
    }
}
