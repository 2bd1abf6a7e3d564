//! What stands between method and version: the URI rules of `proxy_pass`.
//!
//! nginx: `ngx_http_proxy_create_request`.

use tidegate_http::scan::first_control;
use tidegate_http::uri::escape::{Escape, escape};

/// What is known of a request's URI when it is forwarded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// As the client sent it; `None` once it was changed on the way.
    pub(crate) raw: Option<&'a [u8]>,
    /// Decoded and normalised, or as it was changed.
    pub(crate) path: &'a [u8],
    /// What stands behind the question mark.
    pub(crate) args: Option<&'a [u8]>,
    /// Whether the path is encoded again: the client had encoded something, or the path is another
    /// than the client's (nginx: `quoted_uri`, `internal`).
    pub(crate) encode: bool,
    /// How long the beginning is that the URI of `proxy_pass` stands for: the length of the
    /// location's name; `None` after `rewrite … break`, when nothing stands for anything.
    pub(crate) location: Option<usize>,
}

/// Where the URI that is sent comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Replacement<'a> {
    /// `proxy_pass http://app`: the client's.
    None,
    /// `proxy_pass http://app/uri`: this, and what follows the location's name.
    Prefix(&'a [u8]),
    /// `proxy_pass` with variables and a URI: exactly this.
    Exact(&'a [u8]),
}

/// Writes the target of the request that is sent. No byte of it ends the line it stands in.
pub(crate) fn write(asked: &Asked<'_>, replacement: Replacement<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    put(asked, replacement, out);
    let target = out.get(start..).unwrap_or_default();
    // Nearly all are without control characters, which are looked for faster.
    if first_control(target).is_some() {
        let target = out.split_off(start);
        out.extend(target.into_iter().flat_map(encoded_where_it_ends_a_line));
    }
}

fn put(asked: &Asked<'_>, replacement: Replacement<'_>, out: &mut Vec<u8>) {
    let prefix = match (replacement, asked.raw) {
        (Replacement::Exact(uri), _) => return out.extend_from_slice(uri),
        (Replacement::None, Some(raw)) => return out.extend_from_slice(raw),
        (Replacement::Prefix(uri), _) if asked.location.is_some() => uri,
        _ => b"",
    };
    let known = match (replacement, asked.location) {
        (Replacement::Prefix(_), Some(length)) => length.min(asked.path.len()),
        _ => 0,
    };
    let rest = asked.path.get(known..).unwrap_or_default();
    out.extend_from_slice(prefix);
    if asked.encode {
        out.extend_from_slice(&escape(rest, Escape::Uri));
    } else {
        out.extend_from_slice(rest);
    }
    if let Some(args) = asked.args.filter(|args| !args.is_empty()) {
        out.push(b'?');
        out.extend_from_slice(args);
    }
}

/// A variable may hold what would end the request line.
fn encoded_where_it_ends_a_line(byte: u8) -> Vec<u8> {
    match byte {
        b'\r' | b'\n' | 0 => format!("%{byte:02X}").into_bytes(),
        byte => vec![byte],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(asked: &Asked<'_>, replacement: Replacement<'_>) -> String {
        let mut out = b"GET ".to_vec();
        write(asked, replacement, &mut out);
        String::from_utf8(out).unwrap().split_off(4)
    }

    fn asked(raw: &'static str, path: &'static str, args: &'static str) -> Asked<'static> {
        let args = (!args.is_empty()).then_some(args.as_bytes());
        Asked {
            raw: Some(raw.as_bytes()),
            path: path.as_bytes(),
            args,
            encode: true,
            location: Some(5),
        }
    }

    #[test]
    fn without_a_uri_the_client_s_is_sent_as_it_came() {
        let asked = asked("/uri/%2Fa%20b/./../c?d=%20e", "/uri/c", "d=%20e");
        assert_eq!(target(&asked, Replacement::None), "/uri/%2Fa%20b/./../c?d=%20e");
    }

    #[test]
    fn a_uri_stands_for_the_location_and_the_rest_is_encoded_again() {
        let asked = asked("", "/uri/a b/%?", "d=%20e");
        let replacement = Replacement::Prefix(b"/new/");
        assert_eq!(target(&asked, replacement), "/new/a%20b/%25%3F?d=%20e");
        assert_eq!(target(&asked, Replacement::Prefix(b"/n?x=y")), "/n?x=ya%20b/%25%3F?d=%20e");
    }

    #[test]
    fn what_was_not_encoded_stays_so() {
        let plain = Asked { encode: false, ..asked("", "/uri/\u{e4}", "") };
        assert_eq!(target(&plain, Replacement::Prefix(b"/new/")), "/new/\u{e4}");
    }

    #[test]
    fn a_changed_uri_is_sent_as_it_was_changed() {
        let changed = Asked { raw: None, location: None, ..asked("", "/b/x y", "q=1") };
        assert_eq!(target(&changed, Replacement::Prefix(b"/new/")), "/b/x%20y?q=1");
        assert_eq!(target(&changed, Replacement::None), "/b/x%20y?q=1");
    }

    #[test]
    fn a_uri_with_variables_is_sent_exactly_but_on_one_line() {
        let asked = asked("/x", "/x", "lost");
        assert_eq!(target(&asked, Replacement::Exact(b"/z/a b/")), "/z/a b/");
        let split = Replacement::Exact(b"/z HTTP/1.1\r\nX: y");
        assert_eq!(target(&asked, split), "/z HTTP/1.1%0D%0AX: y");
    }
}
