//! The memory that requests are put together in, one after the other.

use std::cell::Cell;

use bytes::Bytes;

/// What a request takes, mostly, in bytes.
const USUAL: usize = 2048;

/// The most memory that a thread keeps for the next one, in bytes.
const MOST: usize = 64 * 1024;

thread_local! {
    static MEMORY: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Memory that nothing is in yet.
pub(super) fn begin() -> Vec<u8> {
    let mut out = MEMORY.take();
    out.clear();
    out.reserve(USUAL);
    out
}

/// What was put together, in no more memory than that takes.
pub(super) fn finish(out: Vec<u8>) -> Bytes {
    let bytes = Bytes::copy_from_slice(&out);
    if out.capacity() <= MOST {
        MEMORY.set(out);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_request_is_left_for_the_next() {
        let mut one = begin();
        one.extend_from_slice(b"one");
        let mut other = begin();
        other.extend_from_slice(b"other");
        assert_eq!((finish(one), finish(other)), ("one".into(), "other".into()));
        assert!(begin().is_empty());
    }
}
