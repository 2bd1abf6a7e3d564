//! The memory that requests are put together in, one after the other, and that they are kept in.

use std::cell::Cell;

use bytes::{Bytes, BytesMut};

/// What a request takes, mostly, in bytes.
const USUAL: usize = 2048;

/// How much memory requests are kept in together, in bytes: it is used again when all are over.
const TOGETHER: usize = 4096;

/// The most memory that a thread keeps for the next one, in bytes.
const MOST: usize = 64 * 1024;

thread_local! {
    static DRAFT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static KEPT: Cell<BytesMut> = Cell::default();
}

/// Memory that nothing is in yet.
pub(super) fn begin() -> Vec<u8> {
    let mut out = DRAFT.take();
    out.clear();
    out.reserve(USUAL);
    out
}

/// What was put together, in no more memory than that takes.
pub(super) fn finish(out: Vec<u8>) -> Bytes {
    let bytes = kept(&out);
    if out.capacity() <= MOST {
        DRAFT.set(out);
    }
    bytes
}

fn kept(bytes: &[u8]) -> Bytes {
    if bytes.len() > TOGETHER / 2 {
        return Bytes::copy_from_slice(bytes);
    }
    let mut memory = KEPT.take();
    if memory.capacity() < bytes.len() {
        memory.reserve(TOGETHER);
    }
    memory.extend_from_slice(bytes);
    let kept = memory.split().freeze();
    KEPT.set(memory);
    kept
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

    #[test]
    fn requests_stay_as_they_are_while_others_come_and_go() {
        let long = |number: usize| number.is_multiple_of(10);
        let text = |number: usize| vec![number as u8; if long(number) { 5000 } else { number }];
        let mut kept: Vec<(usize, Bytes)> = Vec::new();
        for number in 0..1000 {
            kept.push((number, finish(text(number))));
            kept.retain(|(number, bytes)| {
                assert_eq!(bytes, &text(*number));
                *number > 990 || number.is_multiple_of(7) && *number < 500
            });
        }
        let memory = KEPT.take();
        assert!(memory.capacity() <= 2 * TOGETHER, "{}", memory.capacity());
    }
}
