//! The memory of the last exchange, for the next: where a client has taken the answer by then, it is
//! free again.

use std::cell::Cell;

use bytes::BytesMut;

/// Whoever is slow to take an answer holds no more than this for it, in bytes.
pub(super) const SMALL: usize = 16 * 1024;

thread_local! {
    static SPARE: Cell<Option<BytesMut>> = const { Cell::new(None) };
}

/// What was left last, or nothing.
pub(super) fn take() -> BytesMut {
    SPARE.take().unwrap_or_default()
}

/// Leaves what an exchange has read into, which holds nothing more.
pub(super) fn leave(memory: BytesMut) {
    SPARE.set(Some(memory));
}
