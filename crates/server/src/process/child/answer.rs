//! The kinds of messages from the worker; the last field of each is that of the question.

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
