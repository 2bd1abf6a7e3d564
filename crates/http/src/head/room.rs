//! How long lines may be, told as nginx's buffers.

use super::Rules;

/// The buffers a head is read into (nginx: `ngx_http_alloc_large_header_buffer`): a line must fit
/// what is left of the one in use, else it is moved to a new one of the large.
#[derive(Debug)]
pub(super) struct Room {
    left: usize,
    large_left: usize,
    large_size: usize,
}

impl Room {
    pub(super) fn new(rules: &Rules) -> Self {
        Self {
            left: rules.buffer_size,
            large_left: rules.large_buffers,
            large_size: rules.large_buffer_size,
        }
    }

    /// Finds a place for a line of `length` bytes, its end included; false where there is none.
    pub(super) fn take(&mut self, length: usize) -> bool {
        if length > self.left {
            if length > self.large_size || self.large_left == 0 {
                return false;
            }
            self.large_left -= 1;
            self.left = self.large_size;
        }
        self.left -= length;
        true
    }

    /// Whether a line that has `length` bytes already, and no end, cannot be placed.
    pub(super) fn is_short_for(&self, length: usize) -> bool {
        length >= self.left && (length >= self.large_size || self.large_left == 0)
    }
}
