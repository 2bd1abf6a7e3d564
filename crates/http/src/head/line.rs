//! The request line (nginx: `ngx_http_parse_request_line`).

use bytes::Bytes;
use http::Method;

use super::host::{is_host_char, normalise_host};
use super::{HeadFault, RequestHead, Rules, Version};
use crate::uri::Uri;

/// Judges the start of a line that is not complete, so that what is no HTTP is refused at once.
pub(super) fn judge_start(line: &[u8]) -> Result<(), HeadFault> {
    const JUDGED: usize = 16;
    let start = line.get(..JUDGED).unwrap_or(line);
    match start.iter().position(|&byte| !is_method_char(byte)) {
        None => Ok(()),
        Some(at) if at > 0 && start.get(at) == Some(&b' ') => Ok(()),
        Some(_) => Err(HeadFault::Method),
    }
}

/// Judges what is there of a line that is too long to be read whole: what is wrong with it, and its
/// method.
pub(super) fn judge_long(text: &[u8]) -> (HeadFault, Method) {
    let mut cursor = Cursor { text, at: 0 };
    let method = cursor.skip(is_method_char);
    if cursor.peek().is_none() {
        return (HeadFault::LongLine, Method::GET);
    }
    let method = match Method::from_bytes(method) {
        Ok(method) if cursor.peek() == Some(b' ') => method,
        _ => return (HeadFault::Method, Method::GET),
    };
    cursor.skip(|byte| byte == b' ');
    let starts = |byte: u8| byte == b'/' || byte.is_ascii_alphabetic();
    if cursor.peek().is_some_and(|byte| !starts(byte)) {
        return (HeadFault::Line, method);
    }
    cursor.skip(|byte| byte != b' ' && !is_control(byte));
    match cursor.peek() {
        Some(byte) if is_control(byte) && byte != b'\r' => (HeadFault::Line, method),
        _ => (HeadFault::LongLine, method),
    }
}

/// Takes the line `text` of what was read, its line feed gone, apart into `head`.
pub(super) fn take(
    head: &mut RequestHead,
    (read, text): (&Bytes, &[u8]),
    rules: &Rules,
) -> Result<(), HeadFault> {
    let length = text.len() as u64 + 1;
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let mut cursor = Cursor { text, at: 0 };
    let method = take_method(&mut cursor)?;
    if method == Method::HEAD {
        // Whatever is wrong with the rest: the answer has no body.
        head.method = Method::HEAD;
    }
    cursor.skip(|byte| byte == b' ');
    let authority = take_authority(&mut cursor, &method)?.map(|text| read.slice_ref(text));
    let start = cursor.at;
    cursor.skip(|byte| byte != b' ' && !is_control(byte));
    if cursor.peek().is_some_and(is_control) {
        return Err(HeadFault::Line);
    }
    let target = text.get(start..cursor.at).unwrap_or_default();
    cursor.skip(|byte| byte == b' ');
    let start = cursor.at;
    let version = take_version(&mut cursor)?;
    if version == Version::Http09 && method != Method::GET {
        head.version = version;
        return Err(HeadFault::Http09Method);
    }
    head.length = length;
    head.method = method;
    head.version = version;
    head.protocol = match text.get(start..).unwrap_or_default() {
        b"HTTP/1.1" => Bytes::from_static(b"HTTP/1.1"),
        other => read.slice_ref(other),
    };
    head.target = if target.is_empty() { Bytes::from_static(b"/") } else { read.slice_ref(target) };
    head.uri = Uri::parse(&head.target, rules.merge_slashes).map_err(|_| HeadFault::Line)?;
    if let Some(authority) = authority {
        let (host, port) = normalise_host(&authority).ok_or(HeadFault::LineHost)?;
        head.host = Some(host);
        head.port = port;
    }
    Ok(())
}

fn take_method(cursor: &mut Cursor<'_>) -> Result<Method, HeadFault> {
    let method = cursor.skip(is_method_char);
    if method.is_empty() || cursor.peek() != Some(b' ') {
        return Err(HeadFault::Method);
    }
    Method::from_bytes(method).map_err(|_| HeadFault::Method)
}

/// Takes scheme, host and port where the target is absolute, or host and port of a CONNECT; leaves
/// the cursor where the path begins.
fn take_authority<'a>(
    cursor: &mut Cursor<'a>,
    method: &Method,
) -> Result<Option<&'a [u8]>, HeadFault> {
    let connect = *method == Method::CONNECT;
    if !connect {
        match cursor.peek() {
            Some(b'/') => return Ok(None),
            Some(byte) if byte.is_ascii_alphabetic() => {}
            _ => return Err(HeadFault::Line),
        }
        cursor.skip(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        for expected in *b"://" {
            cursor.expect(expected)?;
        }
    }
    let start = cursor.at;
    if cursor.peek() == Some(b'[') {
        cursor.at += 1;
        cursor.skip(|byte| byte == b':' || (byte != b'%' && is_host_char(byte)));
        cursor.expect(b']')?;
    } else {
        cursor.skip(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-');
    }
    let has_port = cursor.peek() == Some(b':');
    let mut digits = 0;
    if has_port {
        cursor.at += 1;
        digits = cursor.skip(|byte| byte.is_ascii_digit()).len();
    }
    let end = cursor.at;
    let good = match cursor.peek() {
        Some(b' ') => !connect || digits > 0,
        Some(b'/' | b'?') => !connect,
        _ => false,
    };
    if good { Ok(cursor.text.get(start..end)) } else { Err(HeadFault::Line) }
}

fn take_version(cursor: &mut Cursor<'_>) -> Result<Version, HeadFault> {
    if cursor.peek().is_none() {
        return Ok(Version::Http09);
    }
    if cursor.rest() == b"HTTP/1.1" {
        return Ok(Version::Http11);
    }
    for expected in *b"HTTP/" {
        cursor.expect(expected)?;
    }
    match cursor.next() {
        Some(b'1') => {}
        Some(b'2'..=b'9') => return Err(HeadFault::Version),
        _ => return Err(HeadFault::Line),
    }
    match cursor.next() {
        Some(b'.') => {}
        Some(byte) if byte.is_ascii_digit() => return Err(HeadFault::Version),
        _ => return Err(HeadFault::Line),
    }
    let minor = cursor.skip(|byte| byte.is_ascii_digit());
    let old = minor.iter().all(|&digit| digit == b'0');
    let significant = minor.iter().skip_while(|&&digit| digit == b'0').count();
    let good = !minor.is_empty() && significant <= 3;
    cursor.skip(|byte| byte == b' ');
    match (cursor.peek(), good, old) {
        (None, true, true) => Ok(Version::Http10),
        (None, true, false) => Ok(Version::Http11),
        _ => Err(HeadFault::Line),
    }
}

fn is_control(byte: u8) -> bool {
    byte < b' ' || byte == 0x7f
}

fn is_method_char(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte == b'_' || byte == b'-'
}

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Result<(), HeadFault> {
        if self.next() == Some(byte) { Ok(()) } else { Err(HeadFault::Line) }
    }

    /// Goes on while `wanted`, and gives what it went over.
    fn skip(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|&byte| !wanted(byte)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }
}
