//! HTTP/1.0 and 1.1 to an upstream (RFC 9112).

use std::collections::VecDeque;
use std::io::Write;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use tidegate_http::headers::Headers;
use tidegate_http::scan::first_control;

use super::body::Body;
use super::head::{self, Dialect, Parsed, Scanner};
use super::{Codec, Decode, Event, Invalid, draft};
use crate::request::ends_a_line;

/// A request to be sent.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The method.
    pub method: Bytes,
    /// What stands between method and version, already encoded.
    pub target: Bytes,
    /// Whether the version is 1.1 rather than 1.0.
    pub http11: bool,
    /// The fields in order. What frames the body must be among them.
    pub headers: Headers,
    /// Whether the body goes in chunks.
    pub chunked: bool,
    /// Whether an answer 101 is welcome.
    pub upgrade: bool,
}

/// A request in bytes.
#[derive(Debug)]
pub struct Http1 {
    head: Bytes,
    /// Where in it the target stands.
    target: Range<usize>,
    chunked: bool,
    upgrade: bool,
    head_only: bool,
}

impl Http1 {
    /// Puts the request into bytes.
    pub fn new(request: &Request) -> Self {
        let target = |out: &mut Vec<u8>| out.extend_from_slice(&request.target);
        let mut draft = Draft::new(&request.method, target, request.http11);
        for field in &request.headers {
            draft.field(&field.name, &field.value);
        }
        draft.finish(request.chunked, request.upgrade)
    }

    /// What stands between method and version.
    pub(crate) fn target(&self) -> Bytes {
        self.head.slice(self.target.clone())
    }
}

/// A request that is being put into bytes.
pub(crate) struct Draft {
    out: Vec<u8>,
    target: Range<usize>,
    head_only: bool,
}

impl Draft {
    /// The first line; `target` writes what stands between method and version, already encoded.
    pub(crate) fn new(method: &[u8], target: impl FnOnce(&mut Vec<u8>), http11: bool) -> Self {
        let mut out = draft::begin();
        out.extend_from_slice(method);
        out.push(b' ');
        let start = out.len();
        target(&mut out);
        let target = start..out.len();
        out.extend_from_slice(if http11 { b" HTTP/1.1\r\n" } else { b" HTTP/1.0\r\n" });
        Self { out, target, head_only: method == b"HEAD" }
    }

    /// Adds a field.
    pub(crate) fn field(&mut self, name: &[u8], value: &[u8]) {
        self.out.reserve(name.len() + value.len() + 4);
        for piece in [name, b": ", value, b"\r\n"] {
            self.out.extend_from_slice(piece);
        }
    }

    /// Adds a field whose value is written where it stands, on one line; one without a value is left
    /// out. Says whether it has one.
    pub(crate) fn rendered(&mut self, name: &[u8], value: impl FnOnce(&mut Vec<u8>)) -> bool {
        let start = self.out.len();
        self.out.extend_from_slice(name);
        self.out.extend_from_slice(b": ");
        let place = self.out.len();
        value(&mut self.out);
        if self.out.len() == place {
            self.out.truncate(start);
            return false;
        }
        let value = self.out.get_mut(place..).unwrap_or_default();
        // Nearly all are without control characters, which are looked for faster.
        if first_control(value).is_some() {
            value.iter_mut().filter(|byte| ends_a_line(**byte)).for_each(|byte| *byte = b' ');
        }
        self.out.extend_from_slice(b"\r\n");
        true
    }

    /// Ends the head.
    pub(crate) fn finish(mut self, chunked: bool, upgrade: bool) -> Http1 {
        self.out.extend_from_slice(b"\r\n");
        let Self { out, target, head_only } = self;
        Http1 { head: draft::finish(out), target, chunked, upgrade, head_only }
    }
}

impl Codec for Http1 {
    fn head(&self) -> &[u8] {
        &self.head
    }

    fn data(&self, bytes: Bytes, out: &mut VecDeque<Bytes>) {
        if !self.chunked {
            out.push_back(bytes);
        } else if !bytes.is_empty() {
            let mut size = Vec::with_capacity(18);
            let _ = write!(size, "{:x}\r\n", bytes.len());
            out.extend([size.into(), bytes, Bytes::from_static(b"\r\n")]);
        }
    }

    fn is_raw(&self) -> bool {
        !self.chunked
    }

    fn end(&self, out: &mut VecDeque<Bytes>) {
        if self.chunked {
            out.push_back(Bytes::from_static(b"0\r\n\r\n"));
        }
    }

    fn decoder(&self, limit: usize) -> Box<dyn Decode> {
        let mut answer = Answer::new(Dialect::Http, limit);
        answer.head_only = self.head_only;
        answer.upgrade = self.upgrade;
        Box::new(answer)
    }
}

/// Reads one answer: a head, or several where the first are only hints, and a body.
#[derive(Debug)]
pub(super) struct Answer {
    dialect: Dialect,
    limit: usize,
    pub(super) head_only: bool,
    pub(super) upgrade: bool,
    state: State,
    keep: bool,
}

#[derive(Debug)]
enum State {
    Head(Scanner),
    Body(Body),
    Upgraded,
}

impl Answer {
    /// A reader of an answer whose head has at most `limit` bytes.
    pub(super) fn new(dialect: Dialect, limit: usize) -> Self {
        let state = State::Head(Scanner::default());
        Self { dialect, limit, head_only: false, upgrade: false, state, keep: false }
    }

    /// Judges a complete head.
    fn head(&mut self, mut parsed: Parsed) -> Result<Event, Invalid> {
        match parsed.head.status {
            101 if self.upgrade => {
                parsed.head.upgrade = true;
                self.state = State::Upgraded;
            }
            101 => return Err(Invalid::Upgrade),
            100..200 => return Ok(Event::Hint(parsed.head)),
            _ => {
                let body = Body::after(&parsed, self.head_only);
                let kept = self.dialect == Dialect::Http; // the others close after every answer
                self.keep = kept && body.is_framed() && !parsed.close;
                self.state = State::Body(body);
            }
        }
        Ok(Event::Head(parsed.head))
    }
}

impl Decode for Answer {
    fn decode(&mut self, input: &mut BytesMut, ended: bool) -> Result<Option<Event>, Invalid> {
        match &mut self.state {
            State::Upgraded => Ok(None),
            State::Body(body) => body.decode(input, ended),
            State::Head(scanner) => {
                if self.dialect == Dialect::Http && !begins_as_it_should(input) {
                    return Err(Invalid::StatusLine);
                }
                match head::take(scanner, input, (self.dialect, self.limit))? {
                    Some(parsed) => self.head(parsed).map(Some),
                    None if ended => Err(Invalid::Ended),
                    None => Ok(None),
                }
            }
        }
    }

    fn reusable(&self) -> bool {
        self.keep
    }
}

/// Whether what is there begins a status line.
fn begins_as_it_should(input: &[u8]) -> bool {
    const START: &[u8] = b"HTTP/";
    input.starts_with(START) || START.starts_with(input)
}

#[cfg(test)]
mod tests;
