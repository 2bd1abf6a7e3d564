//! Percent-encoding, in nginx's several manners.

use std::borrow::Cow;

/// What has to be encoded (nginx: `NGX_ESCAPE_*`); control characters, DEL and bytes above always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// A path to be sent on: also `?`, `#`, `%`, quotes, brackets and the like.
    Uri,
    /// A part of the arguments: also `&`, `+`, `;`.
    Args,
    /// One component of a URI: all but letters, digits and `-._~`.
    Component,
    /// A link in a page: also `'`.
    Html,
    /// An address in a page that refreshes itself: also `'` and `~`, not `#`, `%` and `}`.
    Refresh,
    /// A key for memcached: only control characters, the space and `%`; bytes above stay.
    Memcached,
}

impl Escape {
    fn wants(self, byte: u8) -> bool {
        if self == Self::Memcached {
            return byte <= b' ' || byte == b'%' || byte == 0x7f;
        }
        if !(0x21..0x7f).contains(&byte) {
            return true;
        }
        if self == Self::Refresh {
            return b"\"'<>\\^`{|~".contains(&byte);
        }
        if self == Self::Component {
            return !(byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        }
        let more: &[u8] = match self {
            Self::Uri => b"?",
            Self::Args => b"?&+;",
            _ => b"'",
        };
        b"\"#%<>\\^`{|}".contains(&byte) || more.contains(&byte)
    }
}

/// Encodes what `escape` wants; borrows where that is nothing (nginx: `ngx_escape_uri`).
pub fn escape(bytes: &[u8], escape: Escape) -> Cow<'_, [u8]> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'0');
    if !bytes.iter().any(|&byte| escape.wants(byte)) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len() + 16);
    for &byte in bytes {
        if escape.wants(byte) {
            out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 0xf)]);
        } else {
            out.push(byte);
        }
    }
    Cow::Owned(out)
}

/// Decodes percent signs; of a bad sequence the percent sign, or all but the last digit, is lost
/// (nginx: `ngx_unescape_uri`).
pub fn unescape(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'%', bytes).is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(&byte) = rest.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let Some(&first) = rest.next() else { break };
        let Some(high) = char::from(first).to_digit(16) else {
            out.push(first);
            continue;
        };
        if let Some(low) = rest.next().and_then(|&second| char::from(second).to_digit(16)) {
            out.push((high << 4 | low) as u8);
        }
    }
    Cow::Owned(out)
}

/// Decodes what may stand in a redirect as it is, printable characters behind `%` in ASCII; the rest
/// stays encoded, and so does all behind a question mark (nginx: `NGX_UNESCAPE_REDIRECT`).
pub fn unescape_redirect(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'%', bytes).is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte == b'?' {
            out.push(byte);
            out.extend_from_slice(behind);
            break;
        }
        let decoded = match behind {
            [high, low, ..] if byte == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match decoded.map(|(high, low)| high << 4 | low) {
            Some(plain @ 0x26..0x7f) => {
                out.push(plain);
                rest = behind.get(2..).unwrap_or_default();
            }
            _ => out.push(byte),
        }
    }
    Cow::Owned(out)
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// Makes text fit for a page: `<`, `>`, `&` and `"` (nginx: `ngx_escape_html`).
pub fn escape_html(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !bytes.iter().any(|byte| b"<>&\"".contains(byte)) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len() + 16);
    for &byte in bytes {
        match byte {
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'"' => out.extend_from_slice(b"&quot;"),
            _ => out.push(byte),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_manner_encodes_its_own() {
        let all: Vec<u8> = (0x20..0x80).collect();
        let left = |manner| {
            let kept = all.iter().filter(|&&byte| escape(&[byte], manner).len() == 1);
            String::from_utf8(kept.copied().collect()).unwrap()
        };
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz~";
        assert_eq!(left(Escape::Uri), format!("!$&'()*+,-./0123456789:;=@{letters}"));
        assert_eq!(left(Escape::Args), format!("!$'()*,-./0123456789:=@{letters}"));
        assert_eq!(left(Escape::Html), format!("!$&()*+,-./0123456789:;=?@{letters}"));
        assert_eq!(escape(b"a \xff", Escape::Uri).as_ref(), b"a%20%FF");
        assert_eq!(escape(b"/a", Escape::Component).as_ref(), b"%2Fa");
    }

    #[test]
    fn a_bad_sequence_is_lost_in_part() {
        for (from, to) in
            [("a%20b", "a b"), ("%zz", "zz"), ("%2z1", "1"), ("%", ""), ("%2", ""), ("%%41", "%41")]
        {
            assert_eq!(unescape(from.as_bytes()).as_ref(), to.as_bytes(), "{from}");
        }
    }

    #[test]
    fn a_redirect_keeps_what_it_must() {
        for (from, to) in [
            ("/a%2fb%41", "/a/bA"),
            ("/%20%25%7f%ff", "/%20%25%7f%ff"),
            ("/%3f?%41", "/??%41"),
            ("/%4", "/%4"),
            ("/%zz", "/%zz"),
        ] {
            assert_eq!(unescape_redirect(from.as_bytes()).as_ref(), to.as_bytes(), "{from}");
        }
    }

    proptest! {
        #[test]
        fn decoding_takes_encoding_back(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            for manner in [Escape::Uri, Escape::Args, Escape::Component, Escape::Html] {
                let escaped = escape(&bytes, manner);
                prop_assert_eq!(unescape(&escaped).into_owned(), bytes.clone());
            }
        }
    }
}
