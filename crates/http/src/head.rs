//! A client's request head: found in the bytes as they come, taken apart and judged as nginx does.
//!
//! The rules are nginx 1.31's, line by line, so that a head is refused as early, as late and with
//! the same status as there.

mod fault;
pub mod field;
mod host;
pub mod http2;
mod judge;
mod line;
mod quick;
mod room;
mod spare;

use std::ops::Range;

use bytes::{Buf, Bytes, BytesMut};
use http::Method;

use crate::headers::Headers;
use crate::uri::Uri;
pub use fault::HeadFault;
pub use host::normalise_host;
pub use judge::content_length;
use room::Room;
use spare::{cut_at_line_end, end_of_head};

/// What the configuration says about heads.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// `client_header_buffer_size`, in bytes.
    pub buffer_size: usize,
    /// The number of `large_client_header_buffers`.
    pub large_buffers: usize,
    /// The size of each of them, in bytes.
    pub large_buffer_size: usize,
    /// `max_headers`.
    pub max_headers: usize,
    /// `ignore_invalid_headers`.
    pub ignore_invalid: bool,
    /// `underscores_in_headers`.
    pub underscores: bool,
    /// `merge_slashes`.
    pub merge_slashes: bool,
}

/// The most ignored lines that are kept for the log.
const MAX_IGNORED: usize = 16;

/// The version of the protocol that a request speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// A line without a version; the answer has no head.
    Http09,
    /// HTTP/1.0, and what could not be read
    #[default]
    Http10,
    /// HTTP/1.1, and what might come after it
    Http11,
    /// HTTP/2
    Http2,
}

/// A request without its body (nginx: `headers_in` and its neighbours).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestHead {
    /// The method.
    pub method: Method,
    /// The request line as sent (`$request`).
    pub line: Bytes,
    /// The target as sent, without scheme and host (`$request_uri`).
    pub target: Bytes,
    /// The target decoded and normalised.
    pub uri: Uri,
    /// The version.
    pub version: Version,
    /// The version as sent (`$server_protocol`); empty for HTTP/0.9.
    pub protocol: Bytes,
    /// The fields, those left out that are to be ignored.
    pub headers: Headers,
    /// Lines that were ignored because of their names; the first few.
    pub ignored: Vec<Bytes>,
    /// The host asked for: of the target, else of `Host`; in lower case, without port and final
    /// dot.
    pub host: Option<Bytes>,
    /// The port beside the host.
    pub port: Option<u16>,
    /// The length of the body, where it was told.
    pub content_length: Option<u64>,
    /// Whether the body is chunked.
    pub chunked: bool,
    /// Whether the client lets the connection live on.
    pub keep_alive: bool,
    /// The length of the head in bytes, as far as it was good (a part of `$request_length`).
    pub length: u64,
}

impl RequestHead {
    /// Whether a body follows.
    pub fn has_body(&self) -> bool {
        self.chunked || self.content_length.is_some_and(|length| length > 0)
    }

    /// Whether the client waits for a `100 Continue` before it sends the body.
    pub fn expects_continue(&self) -> bool {
        self.version == Version::Http11
            && self.headers.get("Expect").is_some_and(|v| v.eq_ignore_ascii_case(b"100-continue"))
    }
}

/// What has become of the bytes so far.
#[derive(Debug)]
pub enum Parsed {
    /// The head is not complete.
    Partial,
    /// The head is complete and good; the bytes behind it are left in the buffer.
    Complete(Box<RequestHead>),
    /// The head is bad: why, and as much of it as was understood. The connection is to be closed
    /// after the answer.
    Fault(HeadFault, Box<RequestHead>),
}

/// Reads one head, however small the pieces it comes in.
#[derive(Debug, Default)]
pub struct Parser {
    /// The head, once its first line has been read.
    head: Option<Box<RequestHead>>,
    /// Bytes at the front of the buffer that hold no line end.
    scanned: usize,
    room: Option<Room>,
}

impl Parser {
    /// A parser at the start of a head.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a first byte of a head has been seen.
    pub fn has_begun(&self) -> bool {
        self.head.is_some() || self.scanned > 0
    }

    /// Gives up a head that does not come to its end: as much of it as was understood, or what is
    /// there of its first line.
    pub fn give_up(&mut self, buffer: &mut BytesMut) -> Box<RequestHead> {
        let mut head = std::mem::take(self).head.unwrap_or_else(|| {
            Box::new(RequestHead { line: buffer.split().freeze(), ..RequestHead::default() })
        });
        cut_at_line_end(&mut head.line);
        head
    }

    /// Takes whole lines from the front of `buffer`; to be called again when bytes were added to
    /// it. After a complete head it is ready for the next one.
    pub fn parse(&mut self, buffer: &mut BytesMut, rules: &Rules) -> Parsed {
        match self.read(buffer, rules) {
            Ok(false) => Parsed::Partial,
            Ok(true) => Parsed::Complete(std::mem::take(self).head.unwrap_or_default()),
            Err(fault) => Parsed::Fault(fault, self.give_up(buffer)),
        }
    }

    fn read(&mut self, buffer: &mut BytesMut, rules: &Rules) -> Result<bool, HeadFault> {
        self.skip_blank(buffer);
        if let Some(end) = self.end_of_lines(buffer) {
            self.scanned = 0;
            let room = self.room(rules);
            if self.read_lines(buffer, end, (room, rules))? {
                return Ok(true);
            }
        }
        self.scanned = buffer.len();
        if self.head.is_none() {
            line::judge_start(buffer)?;
        }
        let room = self.room(rules);
        if room.is_short_for(buffer.len()) {
            return Err(self.too_long(buffer, rules));
        }
        self.room = Some(room);
        Ok(false)
    }

    fn room(&mut self, rules: &Rules) -> Room {
        self.room.take().unwrap_or_else(|| Room::new(rules))
    }

    /// The place behind the last line that is here as a whole, or behind the head.
    fn end_of_lines(&self, buffer: &[u8]) -> Option<usize> {
        if self.scanned == 0
            && let Some(end) = end_of_head(buffer)
        {
            return Some(end);
        }
        let unseen = buffer.get(self.scanned..)?;
        memchr::memrchr(b'\n', unseen).map(|last| self.scanned + last + 1)
    }

    /// Lines before a request that hold nothing are passed over.
    fn skip_blank(&self, buffer: &mut BytesMut) {
        if self.head.is_none() && self.scanned == 0 {
            let blank = buffer.iter().take_while(|&&byte| byte == b'\r' || byte == b'\n');
            buffer.advance(blank.count());
        }
    }

    /// Takes one line with its end, at its place in what was read; whether it was the last of the
    /// head.
    fn take_line(
        &mut self,
        read: &Bytes,
        line: Range<usize>,
        rules: &Rules,
    ) -> Result<bool, HeadFault> {
        let length = line.len() as u64;
        // Without the line feed.
        let place = line.start..line.end.saturating_sub(1);
        let text = read.get(place.clone()).unwrap_or_default();
        let Some(head) = &mut self.head else {
            let head = self.head.insert(RequestHead::spare());
            // In a good line nothing else ends it; a bad one is cut when it is given up.
            let end = text.len() - usize::from(text.ends_with(b"\r"));
            head.line = read.slice(place.start..place.start + end);
            line::take(head, (read, text), rules)?;
            return Ok(head.version == Version::Http09);
        };
        if matches!(text, [] | [b'\r']) {
            head.length += length;
            judge::finish(head)?;
            return Ok(true);
        }
        let field = field::parse(read, place.clone(), rules.underscores)
            .map_err(|at| HeadFault::header_line(text, at))?;
        head.length += length;
        if !field.valid && rules.ignore_invalid {
            if head.ignored.len() < MAX_IGNORED {
                head.ignored.push(read.slice(place));
            }
            return Ok(false);
        }
        if head.headers.len() >= rules.max_headers {
            return Err(HeadFault::TooManyHeaders);
        }
        judge::take_field(head, &field.name, &field.value)?;
        head.headers.push(field.name, field.value);
        Ok(false)
    }

    /// A line that fits no buffer. What is there of a request line has been judged by then, and tells
    /// whether the answer has a body.
    fn too_long(&mut self, buffer: &BytesMut, rules: &Rules) -> HeadFault {
        if self.head.is_some() {
            return HeadFault::long_header(buffer);
        }
        let there = buffer.get(..rules.large_buffer_size).unwrap_or(buffer);
        let mut line = Bytes::copy_from_slice(there);
        let (fault, method) = line::judge_long(&line);
        if fault != HeadFault::LongLine {
            // nginx reads no further when it finds that.
            line.truncate(rules.buffer_size);
        }
        cut_at_line_end(&mut line);
        self.head = Some(Box::new(RequestHead { method, line, ..RequestHead::default() }));
        fault
    }
}

#[cfg(test)]
mod tests;
