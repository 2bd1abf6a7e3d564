//! Lines that are here as a whole. Those as nearly all are, are read in one pass; any other is left
//! to those who know all that may be said, and what is wrong with it.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use http::Method;

use super::room::Room;
use super::spare::put_back;
use super::{HeadFault, Parser, RequestHead, Rules, Version, judge};
use crate::scan::{end_of_name, first_control};
use crate::uri::Uri;

impl Parser {
    /// Reads the lines before this place, where the head ends, as it mostly does, or before, or behind:
    /// they are parts of one piece of memory. What is not taken goes back to the buffer.
    pub(super) fn read_lines(
        &mut self,
        buffer: &mut BytesMut,
        end: usize,
        (mut room, rules): (Room, &Rules),
    ) -> Result<bool, HeadFault> {
        let whole = buffer.split_to(end).freeze();
        let mut at = 0;
        let result = loop {
            if let (Some(head), Some(b"\r\n")) = (&mut self.head, whole.get(at..))
                && room.take(2)
            {
                at = whole.len();
                head.length += 2;
                break judge::finish(head).map(|()| true);
            }
            if let Some((length, judged)) = self.take_quickly(&whole, at, (&mut room, rules)) {
                at += length;
                match judged {
                    Ok(()) => continue,
                    Err(fault) => break Err(fault),
                }
            }
            let rest = whole.get(at..).unwrap_or_default();
            let Some(length) = memchr::memchr(b'\n', rest).map(|end| end + 1) else {
                self.room = Some(room);
                break Ok(false);
            };
            if !room.take(length) {
                put_back(buffer, rest);
                return Err(self.too_long(buffer, rules));
            }
            let line = at..at + length;
            at = line.end;
            match self.take_line(&whole, line, rules) {
                Ok(false) => {}
                done => break done,
            }
        };
        put_back(buffer, whole.get(at..).unwrap_or_default());
        result
    }

    /// Takes a line that is as nearly all are: its length, and how it was judged. `None` where it is
    /// otherwise, or there is no room for it: nothing has been done then.
    fn take_quickly(
        &mut self,
        read: &Bytes,
        at: usize,
        (room, rules): (&mut Room, &Rules),
    ) -> Option<(usize, Result<(), HeadFault>)> {
        let Some(head) = &mut self.head else {
            let line = line(read)?;
            let length = line.end;
            if !room.take(length) {
                return None;
            }
            self.head.insert(RequestHead::spare()).take_quick_line(read, line);
            return Some((length, Ok(())));
        };
        let field = field(read, at)?;
        let length = field.end - at;
        if head.headers.len() >= rules.max_headers || !room.take(length) {
            return None;
        }
        head.length += length as u64;
        let name = field.known.unwrap_or_else(|| read.slice(field.name));
        let value = if field.value.is_empty() { Bytes::new() } else { read.slice(field.value) };
        let judged = judge::take_field(head, &name, &value);
        if judged.is_ok() {
            head.headers.push(name, value);
        }
        Some((length, judged))
    }
}

impl RequestHead {
    fn take_quick_line(&mut self, read: &Bytes, line: Line) {
        self.length = line.end as u64;
        self.line = read.slice(..line.end.saturating_sub(2));
        self.method = line.method;
        self.version = Version::Http11;
        self.protocol = Bytes::from_static(b"HTTP/1.1");
        self.target = read.slice(line.path.start..line.target);
        if line.target == line.path.end {
            self.uri = Uri { path: self.target.clone(), args: None };
            return;
        }
        let args = line.path.end + 1..line.target;
        let args = (!args.is_empty()).then(|| read.slice(args));
        self.uri = Uri { path: read.slice(line.path), args };
    }
}

/// A field: a name of letters, digits and hyphens, a value without control characters. All places are
/// those in what was read.
struct Field {
    /// The name.
    name: Range<usize>,
    /// The same, where many heads have it.
    known: Option<Bytes>,
    /// The value without the spaces around it.
    value: Range<usize>,
    /// The place behind the line's end.
    end: usize,
}

/// A request line: a usual method, a path with nothing to decode or to resolve, HTTP/1.1. All places
/// are those in what was read.
struct Line {
    /// The method.
    method: Method,
    /// The path.
    path: Range<usize>,
    /// Where the target ends, behind the question mark and the arguments where there are some.
    target: usize,
    /// The place behind the line's end.
    end: usize,
}

/// The end of such a request line.
const VERSION: &[u8] = b" HTTP/1.1\r\n";

/// What a byte is in a name and in a target.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A letter, a digit or a hyphen.
    Name,
    /// What else stands for itself in a path.
    Path,
    Slash,
    /// What has a meaning of its own somewhere, or may not be there.
    Other,
}

#[allow(clippy::indexing_slicing)] // while it is compiled
const KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Path; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' => Kind::Name,
            b'/' => Kind::Slash,
            0..=b' ' | 0x7f | b'%' | b'?' | b'#' => Kind::Other,
            _ => Kind::Path,
        };
        byte += 1;
    }
    kinds
};

fn kind(byte: u8) -> Kind {
    KINDS.get(usize::from(byte)).copied().unwrap_or(Kind::Other)
}

/// The request line that begins what was read.
fn line(read: &[u8]) -> Option<Line> {
    let (method, start) = match read {
        [b'G', b'E', b'T', b' ', b'/', ..] => (Method::GET, 4),
        [b'P', b'O', b'S', b'T', b' ', b'/', ..] => (Method::POST, 5),
        [b'H', b'E', b'A', b'D', b' ', b'/', ..] => (Method::HEAD, 5),
        _ => return None,
    };
    let mut target = start;
    let mut rest = read.get(start..)?;
    while let [b'/', name @ ..] = rest {
        if let [b'/' | b'.', ..] = name {
            return None;
        }
        let length = name.iter().position(|&byte| kind(byte) >= Kind::Slash)?;
        target += 1 + length;
        rest = name.get(length..)?;
    }
    let path = start..target;
    if let [b'?', args @ ..] = rest {
        let stops = |byte: &u8| matches!(byte, 0..=b' ' | 0x7f | b'#');
        target += 1 + args.iter().position(stops)?;
        rest = read.get(target..)?;
    }
    rest.starts_with(VERSION).then_some(Line { method, path, target, end: target + VERSION.len() })
}

/// The field that begins at a place of what was read.
fn field(read: &[u8], start: usize) -> Option<Field> {
    let line = read.get(start..)?;
    let length = end_of_name(line)?;
    let [b':', behind @ ..] = line.get(length..)? else { return None };
    let name = line.get(..length)?;
    let known = known(name);
    let is_good = || length > 0 && name.iter().all(|&byte| kind(byte) == Kind::Name);
    if known.is_none() && !is_good() {
        return None;
    }
    let spaces = behind.iter().take_while(|&&byte| byte == b' ').count();
    let text = behind.get(spaces..)?;
    let stop = first_control(text)?;
    let [b'\r', b'\n', ..] = text.get(stop..)? else { return None };
    let after = text.get(..stop)?.iter().rev().take_while(|&&byte| byte == b' ').count();
    let name = start..start + length;
    let value = name.end + 1 + spaces;
    let stop = value + stop;
    Some(Field { name, known, value: value..stop - after, end: stop + 2 })
}

/// A name that many heads have, so that no field holds on to the head's memory for it.
fn known(name: &[u8]) -> Option<Bytes> {
    let candidates: &[&'static [u8]] = match name.len() {
        4 => &[b"Host"],
        6 => &[b"Accept", b"Cookie", b"Origin", b"Pragma"],
        7 => &[b"Referer"],
        10 => &[b"User-Agent", b"Connection"],
        12 => &[b"Content-Type"],
        13 => &[b"Cache-Control", b"If-None-Match", b"Authorization"],
        14 => &[b"Sec-Fetch-Dest", b"Sec-Fetch-Mode", b"Sec-Fetch-Site", b"Content-Length"],
        15 => &[b"Accept-Encoding", b"Accept-Language", b"X-Forwarded-For"],
        17 => &[b"If-Modified-Since"],
        25 => &[b"Upgrade-Insecure-Requests"],
        _ => return None,
    };
    let is = |known: &&&[u8]| known.first() == name.first() && **known == name;
    candidates.iter().find(is).map(|known| Bytes::from_static(known))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::head::Parsed;

    #[test]
    fn only_lines_without_anything_unusual_are_taken() {
        for odd in [
            "PUT / HTTP/1.1\r\n",
            "GET  / HTTP/1.1\r\n",
            "GET /a%20b HTTP/1.1\r\n",
            "GET /a//b HTTP/1.1\r\n",
            "GET /a/.b HTTP/1.1\r\n",
            "GET /a#b HTTP/1.1\r\n",
            "GET /a?b#c HTTP/1.1\r\n",
            "GET /a\u{1} HTTP/1.1\r\n",
            "GET / HTTP/1.0\r\n",
            "GET / HTTP/1.1\n",
            "GET /",
        ] {
            assert!(line(odd.as_bytes()).is_none(), "{odd}");
        }
        let found = line(b"HEAD /a.b/?c=/./%20 HTTP/1.1\r\nHost: a\r\n").unwrap();
        assert_eq!((found.method, found.path, found.target), (Method::HEAD, 5..10, 19));
        for odd in [
            "A",
            "A\r\n",
            ": b\r\n",
            "A_b: c\r\n",
            "A : b\r\n",
            "A: b\n",
            "A: \0\r\n",
            "A: b\tc\r\n",
        ] {
            assert!(field(odd.as_bytes(), 0).is_none(), "{odd}");
        }
        let found = field(b"xAbc:   d e  \r\n\r\n", 1).unwrap();
        assert_eq!((found.name, found.value, found.end), (1..4, 8..11, 15));
        let found = field(b"A:  \r\n", 0).unwrap();
        assert!(found.value.is_empty());
    }

    proptest! {
        #[test]
        fn a_line_that_is_taken_quickly_means_what_it_means_otherwise(
            target in "/[a-c/.?%#~ ]{0,10}", fields in "([A-C-]{1,3}:? {0,2}[ -~]{0,4}\r\n){0,3}",
        ) {
            let rules = Rules {
                buffer_size: 1024, large_buffers: 4, large_buffer_size: 8192, max_headers: 100,
                ignore_invalid: true, underscores: false, merge_slashes: true,
            };
            let text = format!("GET {target} HTTP/1.1\r\nHost: a.b\r\n{fields}\r\n");
            let said = |parsed: Parsed| match parsed {
                Parsed::Complete(mut head) => {
                    head.length = 0;
                    // A line that is passed over is kept with its carriage return.
                    format!("{head:?}").replace("\\r", "")
                }
                Parsed::Fault(fault, _) => format!("{fault:?}").replace("\\r", ""),
                Parsed::Partial => "partial".to_owned(),
            };
            let whole = said(Parser::new().parse(&mut BytesMut::from(text.as_bytes()), &rules));
            let (mut parser, mut buffer) = (Parser::new(), BytesMut::new());
            let mut in_pieces = Parsed::Partial;
            for byte in text.bytes() {
                buffer.extend_from_slice(&[byte]);
                if matches!(in_pieces, Parsed::Partial) {
                    in_pieces = parser.parse(&mut buffer, &rules);
                }
            }
            prop_assert_eq!(&said(in_pieces), &whole);
            // No line that ends by a line feed alone is taken quickly.
            let slow = text.replace("\r\n", "\n");
            let slow = said(Parser::new().parse(&mut BytesMut::from(slow.as_bytes()), &rules));
            prop_assert_eq!(slow, whole);
        }
    }
}
