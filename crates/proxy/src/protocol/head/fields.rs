//! The fields of a head of an answer, line by line.

use bytes::Bytes;
use tidegate_http::headers::Headers;
use tidegate_http::scan::{end_of_name, first_control};

use crate::field::Known;
use crate::protocol::Invalid;
use crate::protocol::head::Lines;

/// The fields of a head, and what was seen among them.
pub(super) struct Fields<'a> {
    pub(super) headers: Headers,
    /// What they are a part of.
    bytes: &'a Bytes,
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
            length: Single::default(),
            coding: Single::default(),
            tells_connection: false,
        }
    }

    /// Adds all lines up to the empty one.
    pub(super) fn push_all(&mut self, lines: &mut Lines<'a>) -> Result<(), Invalid> {
        loop {
            if let Some(rest) = self.push_plain(lines.rest) {
                lines.rest = rest;
            } else if let Some(line) = lines.next() {
                self.push(line)?;
            } else {
                return Ok(());
            }
        }
    }

    /// Adds a line that is as nearly all are, without control characters up to its CR LF: what stands
    /// behind it. `None` where it is otherwise; nothing has been done then.
    fn push_plain(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let end = end_of_name(text)?;
        let (name, [b':', behind @ ..]) = text.split_at_checked(end)? else { return None };
        let (value, [b'\r', b'\n', rest @ ..]) = behind.split_at_checked(first_control(behind)?)?
        else {
            return None;
        };
        let known = Known::of(name);
        if known.is_none() && (name.is_empty() || name.starts_with(b"HTTP/")) {
            return None;
        }
        self.add(known, name, trim_spaces(value));
        Some(rest)
    }

    /// Adds a line (nginx: `ngx_http_parse_header_line`).
    pub(super) fn push(&mut self, line: &'a [u8]) -> Result<(), Invalid> {
        // Some servers send their status line twice.
        if line.starts_with(b"HTTP/") {
            return Ok(());
        }
        let end = memchr::memchr(b':', line).unwrap_or(line.len());
        let name = line.get(..end).unwrap_or_default();
        let value = trim_spaces(line.get(end + 1..).unwrap_or_default());
        let good_name = !name.is_empty() && end_of_name(name).is_none();
        if !good_name || memchr::memchr2(0, b'\r', value).is_some() {
            return Err(bad(line, value));
        }
        self.add(Known::of(name), name, value);
        Ok(())
    }

    fn add(&mut self, known: Option<Known>, name: &'a [u8], value: &'a [u8]) {
        match known {
            Some(Known::ContentLength) => self.length.add(value),
            Some(Known::TransferEncoding) => self.coding.add(value),
            Some(Known::Connection) => self.tells_connection = true,
            _ => {}
        }
        self.headers.push(Known::spelled(known, name, self.bytes), self.bytes.slice_ref(value));
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

/// A line that is no field: what of it is good, and the byte that is not.
#[cold]
fn bad(line: &[u8], value: &[u8]) -> Invalid {
    let end = end_of_name(line).unwrap_or(line.len());
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::head::Scanner;

    proptest! {
        #[test]
        fn a_line_that_is_plain_means_what_it_means_otherwise(
            text in "(A|Date|connection|HTTP/1.1 200):? {0,2}[ -~\u{80}\t\r\0]{0,3}\r?\n[A:]?",
        ) {
            let bytes = Bytes::from(text);
            let (mut plain, mut other) = (Fields::new(&bytes), Fields::new(&bytes));
            if let Some(rest) = plain.push_plain(&bytes) {
                let mut lines = Lines { rest: &bytes };
                other.push(lines.next().unwrap()).unwrap();
                prop_assert_eq!(rest, lines.rest);
                prop_assert_eq!(plain.headers, other.headers);
                prop_assert_eq!(plain.tells_connection, other.tells_connection);
            }
        }

        #[test]
        fn a_head_ends_where_its_lines_do(text in "[A:\r\n]{0,8}\n\r\n") {
            let end = Scanner::default().end(text.as_bytes()).unwrap();
            let mut lines = Lines { rest: &text.as_bytes()[..end] };
            lines.by_ref().for_each(drop);
            prop_assert_eq!(lines.rest, b"");
        }
    }
}
