//! A client's socket while hands are shaken; the session's number is heard in passing, which rustls
//! does not tell.

use std::io::{self, IoSlice, Write};

use crate::connection::{Raw, Stream};

/// Where the length of the number stands in a `ServerHello`: behind the heads of the record and of
/// the message, the version and 32 random bytes (RFC 5246, section 7.4.1.3).
const PLACE: usize = 5 + 4 + 2 + 32;

/// The kind of message that a `ServerHello` is.
const SERVER_HELLO: u8 = 2;

/// A client's socket that is listened to.
pub(super) struct Overheard<'a> {
    pub(super) socket: &'a Stream,
    /// What the first bytes say; `None` before them.
    pub(super) number: &'a mut Option<Box<[u8]>>,
}

impl Write for Overheard<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buffer)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if let (None, Some(first)) = (&self.number, slices.first()) {
            *self.number = Some(number(first).into());
        }
        Raw(self.socket).write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The number of the session in the record that begins with a `ServerHello`; empty where there is
/// none.
fn number(record: &[u8]) -> &[u8] {
    let is_hello = record.get(5) == Some(&SERVER_HELLO);
    let found = record.get(PLACE..).and_then(<[u8]>::split_first);
    let number = found.and_then(|(length, rest)| rest.get(..usize::from(*length)));
    number.filter(|_| is_hello).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_stands_behind_what_is_random() {
        let mut record = vec![0x16, 3, 3, 0, 80, SERVER_HELLO, 0, 0, 76, 3, 3];
        record.extend([7; 32]);
        record.extend([4, 1, 2, 3, 4, 0xc0, 0x2b, 0]);
        assert_eq!(number(&record), [1, 2, 3, 4]);
        for length in 0..PLACE + 5 {
            assert!(number(&record[..length]).is_empty(), "{length}");
        }
        record[5] = 1;
        assert!(number(&record).is_empty());
    }
}
