//! How values are made fit for a log line.

use tidegate_config::http::log::Escape;

/// Puts a value, or that there is none, behind `out`.
pub(super) fn put(out: &mut Vec<u8>, value: Option<&[u8]>, escape: Escape) {
    match (escape, value) {
        (Escape::Default, None) => out.push(b'-'),
        (_, None) => {}
        (Escape::None, Some(value)) => put_plain(out, value),
        (Escape::Default, Some(value)) => put_default(out, value),
        (Escape::Json, Some(value)) => put_json(out, value),
    }
}

/// As it is, but for what would begin another line or act on a terminal.
fn put_plain(out: &mut Vec<u8>, value: &[u8]) {
    for &byte in value {
        if byte != b'\t' && byte.is_ascii_control() {
            out.extend_from_slice(&[b'\\', b'x', digit(byte >> 4), digit(byte & 0xf)]);
        } else {
            out.push(byte);
        }
    }
}

fn is_escaped(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..b' ' | 0x7f..)
}

/// Whether nothing is to be escaped, found out for many bytes at a time.
fn is_plain(value: &[u8]) -> bool {
    let (pieces, rest) = value.as_chunks::<16>();
    let is_odd = |piece: &[u8; 16]| piece.iter().fold(false, |odd, byte| odd | is_escaped(*byte));
    !pieces.iter().any(is_odd) && !rest.iter().any(|byte| is_escaped(*byte))
}

/// nginx: `ngx_http_log_escape`
fn put_default(out: &mut Vec<u8>, value: &[u8]) {
    if is_plain(value) {
        return out.extend_from_slice(value);
    }
    let mut rest = value;
    while let Some((plain, [byte, behind @ ..])) =
        rest.iter().position(|byte| is_escaped(*byte)).and_then(|at| rest.split_at_checked(at))
    {
        out.extend_from_slice(plain);
        out.extend_from_slice(&[b'\\', b'x', digit(byte >> 4), digit(byte & 0xf)]);
        rest = behind;
    }
    out.extend_from_slice(rest);
}

/// nginx: `ngx_escape_json`
fn put_json(out: &mut Vec<u8>, value: &[u8]) {
    for &byte in value {
        let letter = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            0..b' ' => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[digit(byte >> 4), digit(byte & 0xf)]);
                continue;
            }
            _ => {
                out.push(byte);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', letter]);
    }
}

fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'A' + value - 10 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: Option<&[u8]>, escape: Escape) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, value, escape);
        out
    }

    #[test]
    fn values_cannot_leave_their_place() {
        let bytes = b"a\"\\\n\x01\x7f\xff";
        let value = Some(bytes.as_slice());
        assert_eq!(text(value, Escape::Default), b"a\\x22\\x5C\\x0A\\x01\\x7F\\xFF");
        assert_eq!(text(value, Escape::Json), b"a\\\"\\\\\\n\\u0001\x7f\xff");
        assert_eq!(text(value, Escape::None), b"a\"\\\\x0A\\x01\\x7F\xff");
        let long = [b"0123456789abcdef", bytes.as_slice()].concat();
        assert!(text(Some(&long), Escape::Default).ends_with(b"efa\\x22\\x5C\\x0A\\x01\\x7F\\xFF"));
        assert_eq!(text(Some(&long[..16]), Escape::Default), b"0123456789abcdef");
        assert_eq!(text(None, Escape::Default), b"-");
        assert_eq!(text(None, Escape::Json), b"");
    }
}
