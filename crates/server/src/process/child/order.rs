//! The kinds of messages to the worker; the last field of a question is its number.

/// A configuration to build.
pub(crate) const BUILD: u8 = b'b';
/// What was built, or is being built, is not to hold.
pub(crate) const FORGET: u8 = b'f';
/// What was built holds.
pub(crate) const COMMIT: u8 = b'c';
/// What has been counted is asked for.
pub(crate) const NUMBERS: u8 = b'n';
/// What logs in memory have is asked for.
pub(crate) const LOG: u8 = b'm';
/// Logs that were opened anew.
pub(crate) const LOGS: u8 = b'l';
/// No more connections, for others take them; end with the last.
pub(crate) const LEAVE: u8 = b'e';
/// No more connections; end with the last.
pub(crate) const DRAIN: u8 = b'd';
/// End now.
pub(crate) const STOP: u8 = b's';
/// What is known of clients and servers is asked for.
pub(crate) const MEMORY: u8 = b'k';
/// Ways to it, and to those who serve beside it, are asked for.
pub(crate) const WAYS: u8 = b'w';
/// How often the loops have beaten is asked for.
pub(crate) const BEATS: u8 = b'h';
