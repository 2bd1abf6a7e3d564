//! The head of an answer: an HTTP status line or CGI's `Status`, fields, and how the body ends.
//!
//! Lines are read as nginx reads those of upstreams (`ngx_http_parse_header_line`), which is wider
//! than a client may be: any visible byte in a name, a bare LF, a line without a colon.

mod fields;

use std::sync::LazyLock;

use bytes::{Bytes, BytesMut};
use memchr::memmem::Finder;
use tidegate_http::head::content_length;
use tidegate_http::headers::Headers;

use self::fields::Fields;
use super::{Head, Invalid};

/// Where the status of an answer is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// In the first line, which must be a status line.
    Http,
    /// In a status line, else in `Status`, else 302 for a `Location`, else 200.
    Cgi,
    /// The same, without a status line: one that is there is passed over. A body is never in
    /// chunks, for scripts pass on such fields of answers that they have taken out of them.
    Fastcgi,
}

/// What is asked of the fields before the body can be read.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) head: Head,
    /// The body is in chunks.
    pub(super) chunked: bool,
    /// The peer will close the connection after this answer.
    pub(super) close: bool,
    /// Whether nothing stands behind its empty line.
    is_all: bool,
}

/// Looks for the end of a head, remembering how far it has looked.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    /// Where the line begins whose end has not been seen.
    line: usize,
}

impl Scanner {
    /// Where a head ends of which nothing was there before, if its lines end as nearly all do: there,
    /// or before.
    fn likely_end(&self, input: &[u8]) -> Option<usize> {
        static END: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\r\n\r\n"));
        let is_new = self.line == 0;
        if is_new { END.find(input).map(|end| end + 4) } else { None }
    }

    /// The length of the head with its empty line, once it is all there.
    fn end(&mut self, input: &[u8]) -> Option<usize> {
        while let Some(rest) = input.get(self.line..) {
            let length = memchr::memchr(b'\n', rest)?;
            self.line += length + 1;
            if matches!(rest.get(..length), Some(b"" | b"\r")) {
                return Some(self.line);
            }
        }
        None
    }
}

/// Takes a head from the front of `input` once it is complete, and no more than `limit` bytes long.
pub(super) fn take(
    scanner: &mut Scanner,
    input: &mut BytesMut,
    (dialect, limit): (Dialect, usize),
) -> Result<Option<Parsed>, Invalid> {
    if let Some(end) = scanner.likely_end(input).filter(|&end| end <= limit) {
        let bytes = input.split_to(end).freeze();
        let parsed = parse(&bytes, dialect)?;
        if parsed.is_all {
            return Ok(Some(parsed));
        }
        put_back(input, &bytes);
    }
    match scanner.end(input) {
        Some(end) if end <= limit => {
            *scanner = Scanner::default();
            parse(&input.split_to(end).freeze(), dialect).map(Some)
        }
        None if input.len() < limit => Ok(None),
        Some(_) | None => Err(Invalid::TooBig),
    }
}

/// Puts bytes back before those of the buffer.
#[cold]
fn put_back(input: &mut BytesMut, bytes: &[u8]) {
    let behind = std::mem::replace(input, BytesMut::from(bytes));
    input.extend_from_slice(&behind);
}

/// Reads a head that is all there.
fn parse(bytes: &Bytes, dialect: Dialect) -> Result<Parsed, Invalid> {
    let mut lines = Lines { rest: bytes };
    let first = lines.next();
    let status_line = match dialect {
        Dialect::Fastcgi => None,
        Dialect::Http | Dialect::Cgi => first.and_then(status_line),
    };
    let mut fields = Fields::new(bytes);
    let close = match (&status_line, first, dialect) {
        (Some(line), ..) => line.close,
        (None, _, Dialect::Http) => return Err(Invalid::StatusLine),
        (None, Some(first), Dialect::Cgi | Dialect::Fastcgi) => {
            fields.push(first)?;
            true
        }
        (None, None, Dialect::Cgi | Dialect::Fastcgi) => true,
    };
    if first.is_some() {
        fields.push_all(&mut lines)?;
    }
    let (content_length, chunked) = framing(&fields)?;
    let Fields { headers, tells_connection, .. } = fields;
    let (status, reason) = match status_line {
        Some(StatusLine { status: 200, reason: b"OK", .. }) => {
            (200, Some(Bytes::from_static(b"OK")))
        }
        Some(line) => (line.status, Some(bytes.slice_ref(line.reason))),
        None => cgi_status(&headers)?,
    };
    // CGI's heirs end an answer with its connection.
    let cgi = dialect != Dialect::Http;
    let chunked = chunked && dialect != Dialect::Fastcgi;
    let mut connection = headers.all(b"Connection");
    let close = cgi
        || close
        || (tells_connection && connection.any(|value| contains_ignore_case(value, b"close")));
    drop(connection);
    let head = Head { status, reason, headers, content_length, upgrade: false, size: bytes.len() };
    Ok(Parsed { head, chunked, close, is_all: lines.rest.is_empty() })
}

/// Reads the fields behind a body.
pub(super) fn trailers(bytes: &Bytes) -> Result<Headers, Invalid> {
    let mut fields = Fields::new(bytes);
    fields.push_all(&mut Lines { rest: bytes })?;
    Ok(fields.headers)
}

/// The lines up to the empty one, without their ends.
struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let mut end = memchr::memchr2(b'\r', b'\n', self.rest)?;
        let mut line = self.rest.get(..end)?;
        match self.rest.get(end..)? {
            [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => self.rest = rest,
            _ => {
                end = memchr::memchr(b'\n', self.rest)?;
                line = self.rest.get(..end)?;
                self.rest = self.rest.get(end + 1..).unwrap_or_default();
                // Of nothing but CRs one is left, for an empty line has no more than one.
                while let [shorter @ .., b'\r'] = line
                    && !shorter.is_empty()
                {
                    line = shorter;
                }
            }
        }
        Some(line).filter(|line| !line.is_empty())
    }
}

struct StatusLine<'a> {
    status: u16,
    reason: &'a [u8],
    close: bool,
}

/// Reads `HTTP/1.1 200 OK` (nginx: `ngx_http_parse_status_line`).
fn status_line(line: &[u8]) -> Option<StatusLine<'_>> {
    let (close, rest) = match line.strip_prefix(b"HTTP/1.1 ") {
        Some(rest) => (false, rest),
        None => version(line)?,
    };
    let rest = rest.trim_ascii_start();
    let status = number(rest.get(..3)?)?;
    let rest = rest.get(3..)?;
    // IIS sends 403.1, 403.2 and so on.
    if status < 100 || !matches!(rest.first(), None | Some(b' ' | b'.')) {
        return None;
    }
    let reason = rest.strip_prefix(b" ").unwrap_or(rest);
    if reason != b"OK" && reason.iter().any(|&byte| byte == b'\r' || byte == 0) {
        return None;
    }
    Some(StatusLine { status, reason, close })
}

/// Whether the connection ends with an answer of this version, and what stands behind that.
fn version(line: &[u8]) -> Option<(bool, &[u8])> {
    let rest = line.strip_prefix(b"HTTP/")?;
    let dot = rest.iter().position(|&byte| byte == b'.')?;
    let (major, rest) = (number(rest.get(..dot)?)?, rest.get(dot + 1..)?);
    let space = rest.iter().position(|&byte| byte == b' ')?;
    let minor = number(rest.get(..space)?)?;
    Some((major < 1 || (major == 1 && minor < 1), rest.get(space..)?))
}

fn number(digits: &[u8]) -> Option<u16> {
    let sound = !digits.is_empty() && digits.len() <= 3 && digits.iter().all(u8::is_ascii_digit);
    sound.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
}

/// The status of an answer without a status line (nginx: `ngx_http_uwsgi_process_header`).
fn cgi_status(headers: &Headers) -> Result<(u16, Option<Bytes>), Invalid> {
    let Some(value) = headers.get("Status") else {
        return Ok((if headers.contains("Location") { 302 } else { 200 }, None));
    };
    let status = value.get(..3).and_then(number).filter(|&status| status >= 100);
    let status = status.ok_or_else(|| Invalid::Status(value.escape_ascii().to_string()))?;
    // A bare number gets the text that we know for it.
    let reason = value.get(4..).map(|reason| value.slice_ref(reason));
    Ok((status, reason))
}

/// How long the body is and whether it is in chunks; both at once are a fault.
fn framing(fields: &Fields<'_>) -> Result<(Option<u64>, bool), Invalid> {
    let length = fields.length.value("Content-Length")?;
    let coding = fields.coding.value("Transfer-Encoding")?;
    if length.is_some() && coding.is_some() {
        return Err(Invalid::LengthAndCoding);
    }
    if let Some(coding) = coding
        && !coding.eq_ignore_ascii_case(b"chunked")
    {
        return Err(Invalid::Coding(coding.escape_ascii().to_string()));
    }
    let length = length.map(|value| {
        let length = content_length(value);
        length.ok_or_else(|| Invalid::ContentLength(value.escape_ascii().to_string()))
    });
    Ok((length.transpose()?, coding.is_some()))
}

fn contains_ignore_case(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
}
