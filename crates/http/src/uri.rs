//! From the request's target to the path that locations and files are found by.

pub mod escape;
pub mod redirect;

use bytes::Bytes;
use thiserror::Error;

/// A decoded, normalised path and its arguments (nginx: `r->uri`, `r->args`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uri {
    /// The path: percent signs decoded, `.`, `..` and (when told) `//` resolved. Begins with a
    /// slash.
    pub path: Bytes,
    /// What stands behind the question mark, as sent; `None` where there is nothing.
    pub args: Option<Bytes>,
}

/// The target leads above the root, or is not encoded as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("invalid request URI")]
pub struct InvalidUri;

impl Uri {
    /// Reads a target that begins with a slash, or with a question mark where an absolute one had
    /// no path (nginx: `ngx_http_parse_complex_uri`).
    pub fn parse(target: &Bytes, merge_slashes: bool) -> Result<Self, InvalidUri> {
        let (end, normal) = end_of_path(target);
        let path = target.get(..end).unwrap_or_default();
        let path = if path.is_empty() {
            Bytes::from_static(b"/")
        } else if normal {
            target.slice(..end)
        } else {
            Bytes::from(normalise(path, merge_slashes)?)
        };
        let args = (target.get(end) == Some(&b'?')).then(|| {
            let start = end + 1;
            let rest = target.slice(start..);
            let length = memchr::memchr(b'#', &rest).unwrap_or(rest.len());
            rest.slice(..length)
        });
        let args = args.filter(|args| !args.is_empty());
        Ok(Self { path, args })
    }

    /// The name behind the last dot of the last segment, or nothing.
    pub fn extension(&self) -> &[u8] {
        extension(&self.path)
    }
}

/// The name behind the last dot of a path's last segment; a dot in front of all does not count
/// (nginx: `ngx_http_set_exten`).
pub fn extension(path: &[u8]) -> &[u8] {
    let Some(at) = memchr::memrchr2(b'.', b'/', path) else { return &[] };
    let dot = at > 1 && path.get(at) == Some(&b'.') && path.get(at - 1) != Some(&b'/');
    if dot { path.get(at + 1..).unwrap_or_default() } else { &[] }
}

/// Where the path ends, and whether there is nothing to decode and nothing to resolve in it.
fn end_of_path(target: &[u8]) -> (usize, bool) {
    let mut slash = false;
    for (at, &byte) in target.iter().enumerate() {
        let normal = byte != b'%' && !(slash && (byte == b'/' || byte == b'.'));
        if !normal {
            let end = memchr::memchr2(b'?', b'#', target).unwrap_or(target.len());
            return (end, false);
        }
        if byte == b'?' || byte == b'#' {
            return (at, true);
        }
        slash = byte == b'/';
    }
    (target.len(), true)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Usual,
    Slash,
    Dot,
    DotDot,
}

fn normalise(path: &[u8], merge_slashes: bool) -> Result<Vec<u8>, InvalidUri> {
    let mut out = Vec::with_capacity(path.len());
    let mut state = State::Usual;
    let mut rest = path.iter();
    while let Some(&byte) = rest.next() {
        let (byte, literal) = match byte {
            b'%' => {
                let decoded = decode(&mut rest)?;
                (decoded, matches!(decoded, b'%' | b'#' | b'?'))
            }
            _ => (byte, false),
        };
        state = match (state, byte) {
            _ if literal => State::Usual,
            (State::Slash, b'/') => {
                if !merge_slashes {
                    out.push(byte);
                }
                continue;
            }
            (State::Dot, b'/') => {
                out.pop();
                state = State::Slash;
                continue;
            }
            (State::DotDot, b'/') => {
                leave(&mut out)?;
                state = State::Slash;
                continue;
            }
            (_, b'/') => State::Slash,
            (State::Slash, b'.') => State::Dot,
            (State::Dot, b'.') => State::DotDot,
            _ => State::Usual,
        };
        out.push(byte);
    }
    match state {
        State::Dot => {
            out.pop();
        }
        State::DotDot => leave(&mut out)?,
        State::Usual | State::Slash => {}
    }
    Ok(out)
}

/// Takes `segment/..` off the end.
fn leave(out: &mut Vec<u8>) -> Result<(), InvalidUri> {
    let length = out.len().checked_sub(3).ok_or(InvalidUri)?;
    let parent = out.get(..length).ok_or(InvalidUri)?;
    let slash = memchr::memrchr(b'/', parent).ok_or(InvalidUri)?;
    out.truncate(slash + 1);
    Ok(())
}

fn decode(rest: &mut std::slice::Iter<'_, u8>) -> Result<u8, InvalidUri> {
    let mut digit = || rest.next().and_then(|&b| char::from(b).to_digit(16)).ok_or(InvalidUri);
    let byte = (digit()? << 4 | digit()?) as u8;
    if byte == 0 { Err(InvalidUri) } else { Ok(byte) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(target: &str) -> Option<String> {
        let uri = Uri::parse(&Bytes::copy_from_slice(target.as_bytes()), true).ok()?;
        Some(String::from_utf8_lossy(&uri.path).into_owned())
    }

    #[test]
    fn dots_slashes_and_percent_signs_are_resolved_as_nginx_does() {
        for (target, expected) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/./b//c/../d/%2e%2E/e%3fq%23?x/../y", "/a/b/e?q#"),
            ("/a/..", "/"),
            ("/a/b/..", "/a/"),
            ("/a/.", "/a/"),
            ("/a/.?x", "/a/"),
            ("/a/..#x", "/"),
            ("/a/...", "/a/..."),
            ("/a/..b", "/a/..b"),
            ("/a/.b", "/a/.b"),
            ("/a%2Fb", "/a/b"),
            ("/a%2F%2e%2e%2fb", "/b"),
            ("/%25%32%65", "/%2e"),
            ("/a+b%2B", "/a+b+"),
            ("?a=b", "/"),
            ("//", "/"),
            ("/a#b?c", "/a"),
            ("/%01", "/\u{1}"),
        ] {
            assert_eq!(path(target).as_deref(), Some(expected), "{target}");
        }
    }

    #[test]
    fn what_leads_above_the_root_or_is_badly_encoded_is_refused() {
        for target in [
            "/..",
            "/../",
            "/../a",
            "/a/../..",
            "/a/../../b",
            "/%2e%2e/",
            "/.%2E",
            "//..",
            "/%00",
            "/%",
            "/%2",
            "/%zz",
            "/%2g",
            "/a%?b",
        ] {
            assert_eq!(path(target), None, "{target}");
        }
    }

    #[test]
    fn slashes_are_kept_where_merge_slashes_is_off() {
        let kept = |t: &'static str| Uri::parse(&Bytes::from_static(t.as_bytes()), false).unwrap();
        assert_eq!(kept("//a///b").path, "//a///b");
        assert_eq!(kept("/a//../b").path, "/a/b");
        assert_eq!(kept("//..").path, "/");
    }

    #[test]
    fn arguments_end_at_a_fragment() {
        let args =
            |t: &'static str| Uri::parse(&Bytes::from_static(t.as_bytes()), true).unwrap().args;
        assert_eq!(args("/a"), None);
        assert_eq!(args("/a?"), None);
        assert_eq!(args("/a?b?c%2f#d"), Some(Bytes::from_static(b"b?c%2f")));
        assert_eq!(args("/a#b?c"), None);
    }

    #[test]
    fn the_extension_is_behind_the_last_dot_of_the_last_segment() {
        for (path, expected) in [
            ("/a.html", "html"),
            ("/a.tar.gz", "gz"),
            ("/.htaccess", ""),
            ("/a/.x", ""),
            ("/a.b/c", ""),
            ("/a.", ""),
            ("/", ""),
            ("", ""),
            ("/a/.x.y", "y"),
        ] {
            assert_eq!(extension(path.as_bytes()), expected.as_bytes(), "{path}");
        }
    }

    /// The path, segment by segment, all of it decoded first.
    fn model(target: &str, merge: bool) -> Option<Vec<u8>> {
        let path = target.split(['?', '#']).next()?;
        let (mut bytes, mut rest) = (Vec::new(), path.bytes());
        while let Some(byte) = rest.next() {
            let hex = |rest: &mut std::str::Bytes<'_>| {
                let two = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&two).ok()?, 16).ok().filter(|&b| b > 0)
            };
            bytes.push(if byte == b'%' { hex(&mut rest)? } else { byte });
        }
        let segments: Vec<_> = bytes.get(1..)?.split(|&byte| byte == b'/').collect();
        let (last, mut kept) = (*segments.last()?, Vec::new());
        for segment in segments {
            match segment {
                b"." => {}
                b".." => drop(kept.pop()?),
                b"" if merge => {}
                segment => kept.push(segment),
            }
        }
        if last.is_empty() && !merge {
            kept.pop();
        }
        let mut path = [b"/".as_slice(), &kept.join(&b'/')].concat();
        if matches!(last, b"" | b"." | b"..") && !kept.is_empty() {
            path.push(b'/');
        }
        Some(path)
    }

    proptest! {
        #[test]
        fn a_path_never_keeps_a_way_up(target in "/([a./?#]|//|%2[eEfF5]|%00|\\.\\.){0,24}") {
            if let Some(path) = path(&target) {
                prop_assert!(path.starts_with('/'));
                prop_assert!(path.split('/').all(|segment| segment != ".."), "{path}");
            }
        }

        #[test]
        fn a_path_is_what_its_segments_come_to(
            target in "/([a./?#]|//|\\.\\./|/\\./|%2[eEfF5]|%41|%zz|%0){0,16}", merge: bool,
        ) {
            let parsed = Uri::parse(&Bytes::from(target.clone()), merge).ok().map(|uri| uri.path);
            let meant = model(&target, merge).map(Bytes::from);
            prop_assert_eq!(&parsed, &meant, "{}", target);
            if let Some(path) = parsed {
                let again: String = path.iter().map(|&byte| match byte {
                    b'/' => "/".to_owned(),
                    byte => format!("%{byte:02x}"),
                }).collect();
                prop_assert_eq!(Uri::parse(&Bytes::from(again), merge).unwrap().path, path);
            }
        }

        #[test]
        fn any_bytes_are_judged_without_a_panic(
            target in prop::collection::vec(any::<u8>(), 0..64), merge in any::<bool>(),
        ) {
            let _ = Uri::parse(&Bytes::from(target), merge);
        }
    }
}
