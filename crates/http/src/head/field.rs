//! One header line (nginx: `ngx_http_parse_header_line`).

use std::ops::Range;

use bytes::Bytes;

/// A header line taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name as written.
    pub name: Bytes,
    /// The value without the spaces around it; tabs stay.
    pub value: Bytes,
    /// Whether the name has only letters, digits, hyphens and, where allowed, underscores.
    pub valid: bool,
}

/// Takes a line of what was read, its line feed gone, apart. A line without a colon is a name. The
/// error is the place in the line of the byte that may not stand there: white space or control
/// characters in the name, a NUL, a carriage return that is not at the end.
pub fn parse(read: &Bytes, place: Range<usize>, underscores: bool) -> Result<Field, usize> {
    let start = place.start;
    let line = read.get(place).unwrap_or_default();
    let mut valid = true;
    let mut end = line.len();
    for (at, &byte) in line.iter().enumerate() {
        if !is_plain(byte) {
            if byte == b':' || byte <= b' ' || byte == 0x7f {
                end = at;
                break;
            }
            valid &= underscores && byte == b'_';
        }
    }
    if end == 0 {
        return Err(0);
    }
    let value = match line.get(end) {
        Some(b':') => value(line, end + 1)?,
        None | Some(b'\r') if is_line_end(line, end) => 0..0,
        _ => return Err(end),
    };
    let name = read.slice(start..start + end);
    let value = if value.is_empty() {
        Bytes::new()
    } else {
        read.slice(start + value.start..start + value.end)
    };
    Ok(Field { name, value, valid })
}

/// Letters, digits and hyphens.
fn is_plain(byte: u8) -> bool {
    #[allow(clippy::indexing_slicing)] // while it is compiled
    const PLAIN: [bool; 256] = {
        let mut plain = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            plain[byte] = (byte as u8).is_ascii_alphanumeric() || byte as u8 == b'-';
            byte += 1;
        }
        plain
    };
    PLAIN.get(usize::from(byte)).is_some_and(|plain| *plain)
}

/// A value that is looked through as quickly by ourselves.
const SHORT: usize = 32;

/// Whether a byte ends no value.
fn is_inner(byte: u8) -> bool {
    !matches!(byte, b'\r' | 0)
}

/// Where a value lies in its line.
fn value(line: &[u8], colon: usize) -> Result<Range<usize>, usize> {
    let rest = line.get(colon..).unwrap_or_default();
    let start = colon + rest.iter().take_while(|&&byte| byte == b' ').count();
    let rest = line.get(start..).unwrap_or_default();
    // Behind a good value there is only a carriage return, the last byte.
    let stop = match rest {
        [value @ .., b'\r'] if value.len() < SHORT && value.iter().all(|byte| is_inner(*byte)) => {
            line.len() - 1
        }
        rest => memchr::memchr2(b'\r', 0, rest).map_or(line.len(), |at| start + at),
    };
    let text = line.get(start..stop).unwrap_or_default();
    let end = start + text.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1);
    match line.get(stop) {
        Some(0) => Err(stop),
        _ if is_line_end(line, stop) => Ok(start..end),
        _ => Err(end),
    }
}

/// Whether only carriage returns are left.
fn is_line_end(line: &[u8], at: usize) -> bool {
    line.get(at..).is_none_or(|rest| rest.iter().all(|&byte| byte == b'\r'))
}
