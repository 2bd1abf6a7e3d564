//! The memory of heads: where they end in it, and how it serves for the next ones of the thread.

use std::cell::RefCell;
use std::sync::LazyLock;

use bytes::{Bytes, BytesMut};
use memchr::memmem::Finder;

use super::RequestHead;
use crate::uri::Uri;

/// The most heads whose memory a thread keeps.
const MOST: usize = 64;

/// The most fields that memory is kept for; a head of more was a rare one.
const FIELDS: usize = 32;

thread_local! {
    // Boxed already where they are used.
    #[allow(clippy::vec_box)]
    static SPARE: RefCell<Vec<Box<RequestHead>>> = const { RefCell::new(Vec::new()) };
}

impl RequestHead {
    /// A head of which nothing is known yet.
    pub(super) fn spare() -> Box<Self> {
        SPARE.with_borrow_mut(Vec::pop).unwrap_or_default()
    }

    /// Lets the memory of a head, which nobody needs any more, serve for another one.
    pub fn give_back(mut self: Box<Self>) {
        SPARE.with_borrow_mut(|spare| {
            if spare.len() < MOST && self.headers.capacity() <= FIELDS {
                self.clear();
                spare.push(self);
            }
        });
    }

    fn clear(&mut self) {
        let mut headers = std::mem::take(&mut self.headers);
        headers.clear();
        // All fields are said, so that none is forgotten that is added.
        *self = Self {
            method: http::Method::default(),
            line: Bytes::new(),
            target: Bytes::new(),
            uri: Uri::default(),
            version: super::Version::default(),
            protocol: Bytes::new(),
            headers,
            ignored: Vec::new(),
            host: None,
            port: None,
            content_length: None,
            chunked: false,
            keep_alive: false,
            length: 0,
        };
    }
}

/// Puts bytes back before those of the buffer.
pub(super) fn put_back(buffer: &mut BytesMut, bytes: &[u8]) {
    if !bytes.is_empty() {
        let behind = std::mem::take(buffer);
        buffer.reserve(bytes.len() + behind.len());
        buffer.extend_from_slice(bytes);
        buffer.extend_from_slice(&behind);
    }
}

/// The place behind a whole head, where one is here; perhaps behind several, of which those that are not
/// taken are put back.
pub(super) fn end_of_head(buffer: &[u8]) -> Option<usize> {
    static END: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\r\n\r\n"));
    /// So much is put back soon enough.
    const SHORT: usize = 2048;
    if buffer.len() <= SHORT && buffer.ends_with(b"\r\n\r\n") {
        return Some(buffer.len());
    }
    END.find(buffer).map(|end| end + 4)
}

/// Leaves what stands before the end of a line.
pub(super) fn cut_at_line_end(line: &mut Bytes) {
    if let Some(end) = memchr::memchr2(b'\r', b'\n', line) {
        line.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_head_is_left_for_the_next() {
        let mut head = RequestHead::spare();
        head.headers.push("A", "b");
        head.host = Some("a".into());
        (head.line, head.chunked, head.length) = ("GET".into(), true, 7);
        head.give_back();
        let next = RequestHead::spare();
        assert_eq!(*next, RequestHead::default());
        assert!(next.headers.capacity() > 0);
    }
}
