//! The kinds of messages from the worker; the last field of each is that of the question. And how long a
//! text in one may be.

use std::borrow::Cow;

use super::MOST;

/// The most bytes of a text: beside it there is room for all else that an answer has.
pub(crate) const ROOM: usize = MOST as usize / 2;

/// What the line says that stands for those that are left out, before their number.
pub(crate) const LEFT_OUT: &str = "lines that are too many to be told:";

/// A configuration was built.
pub(crate) const BUILT: u8 = b'B';
/// It could not be built, and why.
pub(crate) const FAULT: u8 = b'F';
/// What was built holds for every request from now on.
pub(crate) const COMMITTED: u8 = b'C';
/// It takes no more connections, as it was ordered.
pub(crate) const LEFT: u8 = b'E';
/// What has been counted.
pub(crate) const NUMBERS: u8 = b'N';
/// What logs in memory have.
pub(crate) const LOG: u8 = b'M';
/// What is known of clients and servers, in a file, and ways.
pub(crate) const MEMORY: u8 = b'K';
/// Ways to it, and to those who serve beside it.
pub(crate) const WAYS: u8 = b'W';
/// How often the loops have beaten.
pub(crate) const BEATS: u8 = b'H';

/// A text, or as many of its lines as there is room for: then one more, which begins as told, says how
/// many are left out.
pub(crate) fn fitting<'a>(text: &'a str, beginning: &str) -> Cow<'a, str> {
    if text.len() <= ROOM {
        return Cow::Borrowed(text);
    }
    let (kept, _) = text.split_at(text.floor_char_boundary(ROOM));
    let (kept, left) = text.split_at(kept.rfind('\n').unwrap_or(kept.len()));
    let left = left.strip_prefix('\n').unwrap_or(left);
    let end = if left.ends_with('\n') { "\n" } else { "" };
    Cow::Owned(format!("{kept}\n{beginning}{LEFT_OUT} {}{end}", left.lines().count()))
}
