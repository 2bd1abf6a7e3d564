//! Memory for what is received in pieces.

use bytes::BytesMut;

/// Makes room for what is read next: as much as is wanted, or a quarter of it where more would be other
/// memory.
///
/// What was read before may be held on to, each piece with the whole memory that it was read into: who
/// sends a few bytes at a time would have as many of these. So they are read into one until it is as
/// good as full.
pub fn make_room(buffer: &mut BytesMut, wanted: usize) {
    let room = buffer.capacity() - buffer.len();
    if room < wanted && !buffer.try_reclaim(wanted) && room <= wanted / 4 {
        buffer.reserve(wanted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_pieces_that_are_held_on_to_share_their_memory() {
        let (mut buffer, mut held, mut most) = (BytesMut::new(), Vec::new(), 0);
        for _ in 0..1000 {
            make_room(&mut buffer, 4096);
            most += if held.last().is_some_and(|last: &bytes::Bytes| {
                std::ptr::eq(last.as_ptr_range().end, buffer.as_ptr())
            }) {
                0
            } else {
                buffer.capacity()
            };
            buffer.extend_from_slice(b"A: b\r\n");
            held.push(buffer.split().freeze());
        }
        assert!(most < 12 * 1024, "{most}");
    }

    #[test]
    fn memory_that_nobody_holds_is_used_as_a_whole() {
        let mut buffer = BytesMut::with_capacity(4096);
        let memory = buffer.as_ptr();
        for _ in 0..10 {
            make_room(&mut buffer, 4096);
            assert!(buffer.capacity() >= 4096 && std::ptr::eq(buffer.as_ptr(), memory));
            buffer.extend_from_slice(&[0; 3000]);
            drop(buffer.split());
        }
        buffer.extend_from_slice(b"rest");
        make_room(&mut buffer, 8192);
        assert!(buffer.capacity() - buffer.len() >= 8192 && buffer == "rest");
    }
}
