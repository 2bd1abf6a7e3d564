//! What a backslash makes of the characters behind it.

use super::class::ByteSet;
use super::translate::Fault;

/// The meaning of an escape.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Escape {
    /// One byte.
    Byte(u8),
    /// One of a set of bytes.
    Set(ByteSet),
    /// What a group has matched, by its number.
    Reference(usize),
    /// The same, so many groups back.
    Back(usize),
    /// The same, by its name.
    Named(String),
    /// A place or a thing that only an expression can say.
    Special(Special),
}

/// Escapes that are no byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special {
    /// `\A` and `\G`
    Start,
    /// `\Z`
    EndOrNewline,
    /// `\z`
    End,
    /// `\b`
    Boundary,
    /// `\B`
    NoBoundary,
    /// `\R`
    LineBreak,
    /// `\K`
    Keep,
}

/// Reads the escape at a backslash; returns where it ends. `groups` is how many groups have
/// opened so far, none inside a class, where digits are never a reference.
pub(super) fn escape(
    pattern: &[u8],
    at: usize,
    groups: Option<usize>,
) -> Result<(Escape, usize), Fault> {
    let rest = pattern.get(at + 1..).unwrap_or_default();
    let Some(&letter) = rest.first() else {
        return Err(Fault::new("\\ at end of pattern", pattern.len()));
    };
    let next = at + 2;
    let set = |belongs: fn(u8) -> bool| Escape::Set(ByteSet::matching(belongs));
    let meaning = match letter {
        b'd' => set(|byte| byte.is_ascii_digit()),
        b'D' => set(|byte| !byte.is_ascii_digit()),
        b'w' => set(is_word),
        b'W' => set(|byte| !is_word(byte)),
        b's' => set(is_space),
        b'S' => set(|byte| !is_space(byte)),
        b'h' => set(is_horizontal),
        b'H' => set(|byte| !is_horizontal(byte)),
        b'v' => set(is_vertical),
        b'V' => set(|byte| !is_vertical(byte)),
        b'a' => Escape::Byte(7),
        b'e' => Escape::Byte(27),
        b'f' => Escape::Byte(12),
        b'n' => Escape::Byte(b'\n'),
        b'r' => Escape::Byte(b'\r'),
        b't' => Escape::Byte(b'\t'),
        b'c' => return control(pattern, next),
        b'x' => return hexadecimal(pattern, next),
        b'o' => return octal_in_braces(pattern, next),
        b'0'..=b'9' => return digits(pattern, at + 1, groups),
        b'g' => return group(pattern, next),
        b'k' => return name(pattern, next),
        b'N' if rest.get(1) == Some(&b'{') && !rest.get(2).is_some_and(u8::is_ascii_digit) => {
            return Err(unsupported_case(next));
        }
        b'N' if groups.is_none() => {
            return Err(Fault::new("\\N is not supported in a class", next));
        }
        b'N' => set(|byte| byte != b'\n'),
        b'C' if groups.is_some() => set(|_| true),
        b'F' | b'L' | b'l' | b'U' | b'u' => return Err(unsupported_case(next)),
        b'p' | b'P' | b'X' => {
            let message = format!("\\{} is not supported", letter as char);
            return Err(Fault::new(message, at));
        }
        b'A' | b'G' => Escape::Special(Special::Start),
        b'Z' => Escape::Special(Special::EndOrNewline),
        b'z' => Escape::Special(Special::End),
        b'b' => Escape::Special(Special::Boundary),
        b'B' => Escape::Special(Special::NoBoundary),
        b'R' => Escape::Special(Special::LineBreak),
        b'K' => Escape::Special(Special::Keep),
        letter if letter.is_ascii_alphabetic() => {
            return Err(Fault::new("unrecognized character follows \\", at + 1));
        }
        byte => Escape::Byte(byte),
    };
    Ok((meaning, next))
}

fn unsupported_case(at: usize) -> Fault {
    Fault::new("PCRE2 does not support \\F, \\L, \\l, \\N{name}, \\U, or \\u", at)
}

fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn is_horizontal(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0xa0)
}

fn is_vertical(byte: u8) -> bool {
    matches!(byte, b'\n'..=b'\r' | 0x85)
}

/// `\cX`
fn control(pattern: &[u8], at: usize) -> Result<(Escape, usize), Fault> {
    match pattern.get(at) {
        Some(&byte) if byte == b' ' || byte.is_ascii_graphic() => {
            Ok((Escape::Byte(byte.to_ascii_uppercase() ^ 0x40), at + 1))
        }
        Some(_) => Err(Fault::new("\\c must be followed by a printable ASCII character", at)),
        None => Err(Fault::new("\\c at end of pattern", at)),
    }
}

/// `\xhh`, with up to two digits, and `\x{hh}`.
fn hexadecimal(pattern: &[u8], at: usize) -> Result<(Escape, usize), Fault> {
    let rest = pattern.get(at..).unwrap_or_default();
    if let Some(inner) = rest.strip_prefix(b"{") {
        let fault = "non-hex character in \\x{} (closing brace missing?)";
        return in_braces(inner, at + 1, 16, fault);
    }
    let digits = rest.iter().take(2).take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (value, _) = number(rest.get(..digits).unwrap_or_default(), 16);
    Ok((Escape::Byte(value as u8), at + digits))
}

/// `\o{ooo}`
fn octal_in_braces(pattern: &[u8], at: usize) -> Result<(Escape, usize), Fault> {
    match pattern.get(at..).and_then(|rest| rest.strip_prefix(b"{")) {
        Some(inner) => {
            let fault = "non-octal character in \\o{} (closing brace missing?)";
            in_braces(inner, at + 1, 8, fault)
        }
        None => Err(Fault::new("missing opening brace after \\o", at)),
    }
}

fn in_braces(
    inner: &[u8],
    at: usize,
    radix: u32,
    fault: &'static str,
) -> Result<(Escape, usize), Fault> {
    let (value, digits) = number(inner, radix);
    if digits == 0 || inner.get(digits) != Some(&b'}') {
        return Err(Fault::new(fault, at + digits));
    }
    let byte = u8::try_from(value).map_err(|_| {
        Fault::new("character code point value in \\x{} or \\o{} is too large", at + digits)
    })?;
    Ok((Escape::Byte(byte), at + digits + 1))
}

/// The number that digits begin with, and how many they are.
fn number(digits: &[u8], radix: u32) -> (usize, usize) {
    let values = digits.iter().map_while(|&byte| char::from(byte).to_digit(radix));
    values.fold((0_usize, 0), |(value, count), digit| {
        (value.saturating_mul(radix as usize).saturating_add(digit as usize), count + 1)
    })
}

/// `\1` to `\9`, and more digits: a reference if there are so many groups, else octal.
fn digits(pattern: &[u8], at: usize, groups: Option<usize>) -> Result<(Escape, usize), Fault> {
    let rest = pattern.get(at..).unwrap_or_default();
    let (group, count) = number(rest, 10);
    let first = rest.first().copied().unwrap_or(b'0');
    if let Some(groups) = groups
        && first != b'0'
        && (group < 10 || first >= b'8' || group <= groups)
    {
        return Ok((Escape::Reference(group), at + count));
    }
    let (value, count) = number(rest.get(..3.min(rest.len())).unwrap_or_default(), 8);
    match u8::try_from(value) {
        // `\8` and `\9` in a class are the digits.
        Ok(_) if count == 0 => Ok((Escape::Byte(first), at + 1)),
        Ok(byte) => Ok((Escape::Byte(byte), at + count)),
        Err(_) => {
            let message = "octal value is greater than \\377 in 8-bit non-UTF-8 mode";
            Err(Fault::new(message, at + count))
        }
    }
}

/// `\g1`, `\g-1`, `\g{1}`, `\g{-1}`, `\g{name}`.
fn group(pattern: &[u8], at: usize) -> Result<(Escape, usize), Fault> {
    let fault = "\\g is not followed by a braced, angle-bracketed, or quoted name/number or by a \
                 plain number";
    let rest = pattern.get(at..).unwrap_or_default();
    if let Some(b'<' | b'\'') = rest.first() {
        return Err(Fault::new("a group called as a subroutine is not supported", at));
    }
    let (inner, start) = match rest.strip_prefix(b"{") {
        Some(inner) => (inner, at + 1),
        None => (rest, at),
    };
    let (digits, sign) = match inner.strip_prefix(b"-") {
        Some(digits) => (digits, 1),
        None => (inner, 0),
    };
    let (value, count) = number(digits, 10);
    if count == 0 {
        return if start > at { name(pattern, at) } else { Err(Fault::new(fault, start)) };
    }
    let mut end = start + sign + count;
    if start > at {
        if pattern.get(end) != Some(&b'}') {
            return Err(Fault::new(fault, end));
        }
        end += 1;
    }
    Ok((if sign == 1 { Escape::Back(value) } else { Escape::Reference(value) }, end))
}

/// `\k<name>`, `\k'name'`, `\k{name}`.
fn name(pattern: &[u8], at: usize) -> Result<(Escape, usize), Fault> {
    let close = match pattern.get(at) {
        Some(b'<') => b'>',
        Some(b'\'') => b'\'',
        Some(b'{') => b'}',
        _ => {
            let message = "\\k is not followed by a braced, angle-bracketed, or quoted name";
            return Err(Fault::new(message, at));
        }
    };
    let (name, next) = group_name(pattern, at + 1, close)?;
    Ok((Escape::Named(name), next))
}

/// A group's name and the byte that closes it.
pub(super) fn group_name(pattern: &[u8], at: usize, close: u8) -> Result<(String, usize), Fault> {
    let rest = pattern.get(at..).unwrap_or_default();
    let length = rest.iter().take_while(|&&byte| is_word(byte)).count();
    let (name, rest) = rest.split_at(length);
    let fault = match (name.first(), rest.first()) {
        (Some(first), _) if first.is_ascii_digit() => {
            Fault::new("subpattern name must start with a non-digit", at)
        }
        (None, _) => Fault::new("subpattern name expected", at),
        _ if length > 32 => {
            Fault::new("subpattern name is too long (maximum 32 code units)", at + length)
        }
        (_, Some(&end)) if end == close => {
            return Ok((String::from_utf8_lossy(name).into_owned(), at + length + 1));
        }
        _ => Fault::new("syntax error in subpattern name (missing terminator?)", at + length),
    };
    Err(fault)
}
