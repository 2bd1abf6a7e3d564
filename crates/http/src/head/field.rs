//! One header line (nginx: `ngx_http_parse_header_line`).

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

/// Takes a line, its line feed gone, apart. A line without a colon is a name. The error is the
/// place of the byte that may not stand there: white space or control characters in the name, a
/// NUL, a carriage return that is not at the end.
pub fn parse(line: &Bytes, underscores: bool) -> Result<Field, usize> {
    let is_name_end = |&byte: &u8| byte == b':' || byte <= b' ' || byte == 0x7f;
    let end = line.iter().position(is_name_end).unwrap_or(line.len());
    if end == 0 {
        return Err(0);
    }
    let name = line.slice(..end);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let valid = name.iter().all(|&byte| plain(byte) || (underscores && byte == b'_'));
    let value = match line.get(end) {
        Some(b':') => value(line, end + 1)?,
        None | Some(b'\r') if is_line_end(line, end) => Bytes::new(),
        _ => return Err(end),
    };
    Ok(Field { name, value, valid })
}

fn value(line: &Bytes, colon: usize) -> Result<Bytes, usize> {
    let rest = line.get(colon..).unwrap_or_default();
    let start = colon + rest.iter().take_while(|&&byte| byte == b' ').count();
    let rest = line.get(start..).unwrap_or_default();
    let stop = memchr::memchr2(b'\r', 0, rest).map_or(line.len(), |at| start + at);
    let text = line.get(start..stop).unwrap_or_default();
    let end = start + text.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1);
    match line.get(stop) {
        Some(0) => Err(stop),
        _ if is_line_end(line, stop) => Ok(line.slice(start..end)),
        _ => Err(end),
    }
}

/// Whether only carriage returns are left.
fn is_line_end(line: &Bytes, at: usize) -> bool {
    line.get(at..).is_none_or(|rest| rest.iter().all(|&byte| byte == b'\r'))
}
