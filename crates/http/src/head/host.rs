//! The host a client asks for (nginx: `ngx_http_validate_host`).

use bytes::Bytes;

/// Takes host and port apart: the host in lower case, without a final dot, and the port where one
/// other than 0 is named. `None` where that is no host: empty, with two dots together, with
/// characters of no `reg-name` (RFC 3986, section 3.2.2), or with a port over 65535.
pub fn normalise_host(text: &Bytes) -> Option<(Bytes, Option<u16>)> {
    match text.split_at_checked(normal(text))? {
        ([], _) => {}
        (_, []) => return Some((text.clone(), None)),
        (host, [b':', digits @ ..]) => {
            let port = port(digits)?;
            return Some((text.slice(..host.len()), (port != 0).then_some(port)));
        }
        _ => {}
    }
    let (host, rest) = if text.first() == Some(&b'[') {
        let close = memchr::memchr(b']', text)?;
        let (host, rest) = text.split_at_checked(close + 1)?;
        let inner = host.get(1..close)?;
        let good = inner.iter().all(|&b| b == b':' || (b != b'%' && is_host_char(b)));
        (good.then_some(host)?, rest)
    } else {
        let is_plain = |byte: &u8| is_host_char(*byte) && *byte != b'.';
        let mut colon = 0;
        loop {
            let rest = text.get(colon..).unwrap_or_default();
            colon += rest.iter().position(|byte| !is_plain(byte)).unwrap_or(rest.len());
            match text.get(colon..) {
                None | Some([] | [b':', ..]) => break,
                Some([b'.', next @ ..]) if next.first() != Some(&b'.') => colon += 1,
                Some(_) => return None,
            }
        }
        let (host, rest) = text.split_at_checked(colon)?;
        let host = host.strip_suffix(b".").unwrap_or(host);
        ((!host.is_empty()).then_some(host)?, rest)
    };
    let port = match rest {
        [] => 0,
        [b':', digits @ ..] => port(digits)?,
        _ => return None,
    };
    let lower = !host.iter().any(u8::is_ascii_uppercase);
    let host = if lower { text.slice_ref(host) } else { host.to_ascii_lowercase().into() };
    Some((host, (port != 0).then_some(port)))
}

/// How much of a text is a host already: letters in lower case, digits and hyphens, dots between them;
/// 0 where it ends with a dot.
fn normal(text: &[u8]) -> usize {
    #[allow(clippy::indexing_slicing)] // while it is compiled
    const LETTERS: [bool; 256] = {
        let mut letters = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            letters[byte] = matches!(byte as u8, b'a'..=b'z' | b'0'..=b'9' | b'-');
            byte += 1;
        }
        letters
    };
    let is_letter = |byte: &u8| LETTERS.get(usize::from(*byte)).is_some_and(|is| *is);
    let mut rest = text;
    loop {
        let length = rest.iter().position(|byte| !is_letter(byte)).unwrap_or(rest.len());
        match rest.get(length..) {
            _ if length == 0 => return 0,
            Some([b'.', next @ ..]) => rest = next,
            Some(behind) => return text.len() - behind.len(),
            None => return 0,
        }
    }
}

fn port(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0u16, |port, &digit| {
        let digit = u16::from(digit.checked_sub(b'0').filter(|&digit| digit <= 9)?);
        port.checked_mul(10)?.checked_add(digit)
    })
}

/// A character of a `reg-name`, percent signs included.
pub(super) fn is_host_char(byte: u8) -> bool {
    #[allow(clippy::indexing_slicing)] // while it is compiled
    const CHARS: [bool; 256] = {
        let mut chars = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            chars[byte] = matches!(byte as u8,
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'!' | b'$'..=b'.' | b';' | b'=' | b'_'
                | b'~');
            byte += 1;
        }
        chars
    };
    CHARS.get(usize::from(byte)).is_some_and(|is| *is)
}
