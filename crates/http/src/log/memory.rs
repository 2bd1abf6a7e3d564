//! The last lines of logs that are kept in memory (`error_log memory:`).

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// The lines of this process: all logs in memory are one, as large as the largest that was named.
static LINES: Mutex<Lines> = Mutex::new(Lines { size: 0, bytes: VecDeque::new() });

/// Lines, the oldest first; whole lines go when others need their room.
struct Lines {
    size: usize,
    bytes: VecDeque<u8>,
}

/// Keeps a line, its end included, in a log of this size, in bytes.
pub(super) fn keep(size: usize, line: &[u8]) {
    LINES.lock().unwrap_or_else(PoisonError::into_inner).keep(size, line);
}

/// What is kept, the oldest line first, at most this many bytes of the newest.
pub fn kept(most: usize) -> Vec<u8> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner).newest(most)
}

impl Lines {
    fn keep(&mut self, size: usize, line: &[u8]) {
        self.size = self.size.max(size);
        while !self.bytes.is_empty() && self.bytes.len() + line.len() > self.size {
            let end = self.bytes.iter().position(|byte| *byte == b'\n');
            self.bytes.drain(..end.map_or(self.bytes.len(), |end| end + 1));
        }
        if line.len() <= self.size {
            self.bytes.extend(line);
        }
    }

    fn newest(&self, most: usize) -> Vec<u8> {
        let beyond = self.bytes.len().saturating_sub(most);
        let whole = |at: usize| at == 0 || self.bytes.get(at - 1) == Some(&b'\n');
        let begin = (beyond..self.bytes.len()).find(|at| whole(*at));
        self.bytes.iter().skip(begin.unwrap_or(self.bytes.len())).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_lines_make_room() {
        let mut lines = Lines { size: 0, bytes: VecDeque::new() };
        for line in ["one\n", "two\n", "three\n"] {
            lines.keep(12, line.as_bytes());
        }
        assert_eq!(lines.newest(100), b"two\nthree\n");
        assert_eq!(lines.newest(9), b"three\n");
        assert_eq!(lines.newest(6), b"three\n");
        assert_eq!(lines.newest(5), b"");
        lines.keep(12, b"longer than all of it\n");
        assert_eq!(lines.newest(100), b"");
        lines.keep(12, b"x\n");
        assert_eq!(lines.newest(100), b"x\n");
    }
}
