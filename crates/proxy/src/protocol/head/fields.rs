//! The fields of a head of an answer, line by line.

use bytes::Bytes;
use tidegate_http::headers::Headers;

use crate::field::Known;
use crate::protocol::Invalid;

/// The fields of a head, and what was seen among them.
pub(super) struct Fields<'a> {
    pub(super) headers: Headers,
    /// What they are a part of.
    bytes: &'a Bytes,
    /// Whether there is a byte of zero somewhere.
    zero: bool,
    /// The length of the body.
    pub(super) length: Single<'a>,
    /// Whether the body is in chunks.
    pub(super) coding: Single<'a>,
    /// Whether there is a `Connection`.
    pub(super) tells_connection: bool,
}

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a Bytes) -> Self {
        Self {
            headers: Headers::with_capacity(8),
            bytes,
            zero: memchr::memchr(0, bytes).is_some(),
            length: Single::default(),
            coding: Single::default(),
            tells_connection: false,
        }
    }

    /// Adds a line (nginx: `ngx_http_parse_header_line`); `stray` says whether carriage returns may
    /// be in it.
    pub(super) fn push(&mut self, line: &'a [u8], stray: bool) -> Result<(), Invalid> {
        // Some servers send their status line twice.
        if line.starts_with(b"HTTP/") {
            return Ok(());
        }
        let end = memchr::memchr(b':', line).unwrap_or(line.len());
        let name = line.get(..end).unwrap_or_default();
        let value = trim_spaces(line.get(end + 1..).unwrap_or_default());
        let known = Known::of(name);
        let good_name =
            known.is_some() || !name.is_empty() && !name.iter().any(|&byte| ends_a_name(byte));
        let may_be_bad = stray || self.zero;
        if !good_name || may_be_bad && memchr::memchr2(0, b'\r', value).is_some() {
            return Err(bad(line, value));
        }
        match known {
            Some(Known::ContentLength) => self.length.add(value),
            Some(Known::TransferEncoding) => self.coding.add(value),
            Some(Known::Connection) => self.tells_connection = true,
            _ => {}
        }
        self.headers.push(Known::spelled(known, name, self.bytes), self.bytes.slice_ref(value));
        Ok(())
    }
}

/// The value of a field that must not stand twice.
#[derive(Default)]
pub(super) struct Single<'a> {
    first: Option<&'a [u8]>,
    second: Option<&'a [u8]>,
}

impl<'a> Single<'a> {
    fn add(&mut self, value: &'a [u8]) {
        if self.first.is_none() {
            self.first = Some(value);
        } else {
            self.second = Some(value);
        }
    }

    /// The value, if the field is there; `name` is how it is called.
    pub(super) fn value(&self, name: &str) -> Result<Option<&'a [u8]>, Invalid> {
        match (self.first, self.second) {
            (Some(first), Some(second)) => Err(Invalid::Duplicate {
                line: format!("{name}: {}", second.escape_ascii()),
                previous: format!("{name}: {}", first.escape_ascii()),
            }),
            _ => Ok(self.first),
        }
    }
}

fn ends_a_name(byte: u8) -> bool {
    byte == b':' || byte <= b' ' || byte == 0x7f
}

/// A line that is no field: what of it is good, and the byte that is not.
#[cold]
fn bad(line: &[u8], value: &[u8]) -> Invalid {
    let end = line.iter().position(|&byte| ends_a_name(byte)).unwrap_or(line.len());
    let in_value = memchr::memchr2(0, b'\r', value).map(|at| line.len() - value.len() + at);
    let at = match line.get(end) {
        None | Some(b':') if end > 0 => in_value.unwrap_or(end),
        _ => end,
    };
    let good = line.get(..at).unwrap_or(line).escape_ascii();
    let bad = line.get(at).copied().unwrap_or_default();
    Invalid::Field(format!("{good}\\x{bad:02x}..."))
}

/// Only spaces: nginx leaves tabs in place.
fn trim_spaces(mut value: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] | [rest @ .., b' '] = value {
        value = rest;
    }
    value
}
