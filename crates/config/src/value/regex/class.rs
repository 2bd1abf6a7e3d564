//! Sets of bytes: `[a-z]`, `\d`, `[:alpha:]`.

use std::fmt::Write;

use super::escape::{Escape, escape};
use super::translate::{Fault, Flags};

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ByteSet {
    bits: [u128; 2],
}

impl ByteSet {
    pub(super) fn of(bytes: &[u8]) -> ByteSet {
        let mut set = ByteSet::default();
        for &byte in bytes {
            set.insert(byte);
        }
        set
    }

    pub(super) fn matching(belongs: impl Fn(u8) -> bool) -> ByteSet {
        let mut set = ByteSet::default();
        for byte in (0..=u8::MAX).filter(|&byte| belongs(byte)) {
            set.insert(byte);
        }
        set
    }

    pub(super) fn insert(&mut self, byte: u8) {
        let [low, high] = &mut self.bits;
        let half = if byte < 128 { low } else { high };
        *half |= 1 << (byte % 128);
    }

    fn contains(self, byte: u8) -> bool {
        let [low, high] = self.bits;
        (if byte < 128 { low } else { high }) & (1 << (byte % 128)) != 0
    }

    fn extend(&mut self, other: ByteSet) {
        *self = ByteSet::matching(|byte| self.contains(byte) || other.contains(byte));
    }

    pub(super) fn inverted(self) -> ByteSet {
        ByteSet { bits: self.bits.map(|half| !half) }
    }

    /// With both cases of each letter that it holds.
    pub(super) fn folded(self) -> ByteSet {
        ByteSet::matching(|byte| {
            self.contains(byte)
                || self.contains(byte.to_ascii_lowercase())
                || self.contains(byte.to_ascii_uppercase())
        })
    }

    /// Appends an expression for one byte of the set.
    pub(super) fn push(self, out: &mut String) {
        let mut runs: Vec<(u8, u8)> = Vec::new();
        for byte in (0..=u8::MAX).filter(|&byte| self.contains(byte)) {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == byte => *last = byte,
                _ => runs.push((byte, byte)),
            }
        }
        match runs.as_slice() {
            [] => out.push_str("(?!)"),
            [(0, u8::MAX)] => out.push_str("(?s:.)"),
            [(first, last)] if first == last && *first < 128 => push_byte(out, *first),
            runs => {
                out.push('[');
                for &(first, last) in runs {
                    push_byte(out, first);
                    if first < last {
                        out.push('-');
                        push_byte(out, last);
                    }
                }
                out.push(']');
            }
        }
    }
}

fn push_byte(out: &mut String, byte: u8) {
    if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'/' | b' ') {
        out.push(byte.into());
    } else {
        _ = write!(out, "\\x{byte:02X}");
    }
}

/// Reads a class from behind its `[` up to and with its `]`; returns where it ends.
pub(super) fn class(pattern: &[u8], open: usize, flags: Flags) -> Result<(ByteSet, usize), Fault> {
    let mut at = open + 1;
    let inverted = pattern.get(at) == Some(&b'^');
    at += usize::from(inverted);
    let mut set = ByteSet::default();
    let mut is_first = true;
    loop {
        let unclosed = "missing terminating ] for character class";
        let byte = *pattern.get(at).ok_or(Fault::new(unclosed, pattern.len()))?;
        match byte {
            b']' if !is_first => break,
            b' ' | b'\t' if flags.extended_more => {
                at += 1;
                continue;
            }
            _ => {}
        }
        is_first = false;
        let (item, next) = item(pattern, at)?;
        at = next;
        let Item::Byte(first) = item else {
            if let Item::Set(other) = item {
                set.extend(other);
            }
            continue;
        };
        match range_end(pattern, at)? {
            Some((last, next)) if first <= last => {
                set.extend(ByteSet::matching(|byte| (first..=last).contains(&byte)));
                at = next;
            }
            Some((_, next)) => {
                return Err(Fault::new("range out of order in character class", next - 1));
            }
            None => set.insert(first),
        }
    }
    let set = if flags.caseless { set.folded() } else { set };
    Ok((if inverted { set.inverted() } else { set }, at + 1))
}

enum Item {
    Byte(u8),
    Set(ByteSet),
    Nothing,
}

fn item(pattern: &[u8], at: usize) -> Result<(Item, usize), Fault> {
    let rest = pattern.get(at..).unwrap_or_default();
    match rest {
        [b'[', b':', ..] => Ok(posix(pattern, at)?.unwrap_or((Item::Byte(b'['), at + 1))),
        [b'[', mark @ (b'.' | b'='), inner @ ..] if closes(inner, *mark) => {
            Err(Fault::new("POSIX collating elements are not supported", at))
        }
        [b'\\', b'Q', ..] => {
            // Up to `\E` all is literal; of it, one byte at a time.
            match rest.get(2..) {
                Some([b'\\', b'E', ..]) => Ok((Item::Nothing, at + 4)),
                _ => Err(Fault::new("\\Q in a character class is not supported", at)),
            }
        }
        [b'\\', b'E', ..] => Ok((Item::Nothing, at + 2)),
        [b'\\', b'b', ..] => Ok((Item::Byte(8), at + 2)),
        [b'\\', b'N', b'{', ..] | [b'\\', ..] => match escape(pattern, at, None)? {
            (Escape::Byte(byte), next) => Ok((Item::Byte(byte), next)),
            (Escape::Set(set), next) => Ok((Item::Set(set), next)),
            _ => Err(Fault::new("escape sequence is invalid in character class", at + 1)),
        },
        [byte, ..] => Ok((Item::Byte(*byte), at + 1)),
        [] => Ok((Item::Nothing, at + 1)),
    }
}

/// The byte behind a `-` that makes a range, and where it ends. A `-` before a set or the
/// closing bracket is literal.
fn range_end(pattern: &[u8], at: usize) -> Result<Option<(u8, usize)>, Fault> {
    match pattern.get(at..) {
        Some([b'-', b']', ..] | [b'-']) => Ok(None),
        Some([b'-', ..]) => match item(pattern, at + 1)? {
            (Item::Byte(last), next) => Ok(Some((last, next))),
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

/// Whether a `[.` or `[=` has its other end before the class has.
fn closes(inner: &[u8], mark: u8) -> bool {
    inner
        .iter()
        .position(|&byte| byte == b']')
        .is_some_and(|at| at.checked_sub(1).and_then(|before| inner.get(before)) == Some(&mark))
}

/// `[:name:]` and `[:^name:]`; `None` if it only looks like one.
fn posix(pattern: &[u8], at: usize) -> Result<Option<(Item, usize)>, Fault> {
    let inner = pattern.get(at + 2..).unwrap_or_default();
    let length =
        inner.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'^').count();
    let (name, rest) = inner.split_at(length);
    if !rest.starts_with(b":]") {
        return Ok(None);
    }
    let (name, inverted) = match name.strip_prefix(b"^") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let set = match name {
        b"alpha" => ByteSet::matching(|byte| byte.is_ascii_alphabetic()),
        b"lower" => ByteSet::matching(|byte| byte.is_ascii_lowercase()),
        b"upper" => ByteSet::matching(|byte| byte.is_ascii_uppercase()),
        b"alnum" => ByteSet::matching(|byte| byte.is_ascii_alphanumeric()),
        b"ascii" => ByteSet::matching(|byte| byte.is_ascii()),
        b"blank" => ByteSet::of(b" \t"),
        b"cntrl" => ByteSet::matching(|byte| byte.is_ascii_control()),
        b"digit" => ByteSet::matching(|byte| byte.is_ascii_digit()),
        b"graph" => ByteSet::matching(|byte| byte.is_ascii_graphic()),
        b"print" => ByteSet::matching(|byte| byte == b' ' || byte.is_ascii_graphic()),
        b"punct" => ByteSet::matching(|byte| byte.is_ascii_punctuation()),
        b"space" => ByteSet::of(b" \t\n\x0b\x0c\r"),
        b"word" => ByteSet::matching(|byte| byte == b'_' || byte.is_ascii_alphanumeric()),
        b"xdigit" => ByteSet::matching(|byte| byte.is_ascii_hexdigit()),
        _ => return Err(Fault::new("unknown POSIX class name", at + 2)),
    };
    let set = if inverted { set.inverted() } else { set };
    Ok(Some((Item::Set(set), at + 2 + length + 2)))
}
