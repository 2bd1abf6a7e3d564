//! The chunked transfer coding of HTTP/1.1, in both directions and without input or output.
//!
//! RFC 9112, section 7.1, as strict as nginx 1.31: lines end with CR LF and nothing else.

use bytes::{Buf, Bytes, BytesMut};
use thiserror::Error;

/// The most bytes of one size line (digits, leading zeros, extensions), and of all trailer fields
/// together. nginx has no bound.
const MAX_SKIPPED: u32 = 16 * 1024;

/// Takes chunks apart, whatever the pieces they come in.
///
/// Extensions are skipped, and trailer fields unless they are to be kept, as nginx does.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    state: State,
    /// The size being read, then what is left of the chunk, in bytes.
    size: u64,
    /// Bytes of the size line or the trailers so far.
    skipped: u32,
    /// The trailers so far, line by line, where they are kept.
    trailers: Option<Vec<u8>>,
}

/// What came out of the coded bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// Bytes of the body, at least one.
    Data(Bytes),
    /// All input is taken and the body goes on.
    Partial,
    /// The body has ended. What is left in the buffer is not part of it.
    End,
}

/// Coded bytes that break the rules; nothing behind them can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ChunkedFault {
    /// A character that may not stand there.
    #[error("invalid character between chunks")]
    Character,
    /// A size of more than 63 bits.
    #[error("too large chunk size")]
    Size,
    /// Extensions or trailers without end.
    #[error("too long chunk extensions or trailers")]
    TooLong,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Start,
    Size,
    Extension,
    SizeEnd,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerEnd,
    LastLf,
    Done,
}

impl Decoder {
    /// A decoder at the start of a body.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that keeps the trailer fields.
    pub fn keeping_trailers() -> Self {
        Self { trailers: Some(Vec::new()), ..Self::default() }
    }

    /// The lines of trailer fields, each with a bare LF behind it, once the body has ended; they
    /// are given once.
    pub fn take_trailers(&mut self) -> Option<Bytes> {
        let lines = self.trailers.take().filter(|lines| !lines.is_empty())?;
        Some(lines.into())
    }

    fn keep(&mut self, byte: u8) {
        if let Some(trailers) = &mut self.trailers {
            trailers.push(byte);
        }
    }

    /// Takes coded bytes from the front of `buffer` until there is something to say.
    ///
    /// After a fault or the end it is not to be asked again.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Decoded, ChunkedFault> {
        loop {
            match self.state {
                State::Done => return Ok(Decoded::End),
                State::Data if buffer.is_empty() => return Ok(Decoded::Partial),
                State::Data => return Ok(Decoded::Data(self.take_data(buffer))),
                _ => {
                    let Some(&byte) = buffer.first() else { return Ok(Decoded::Partial) };
                    buffer.advance(1);
                    self.step(byte)?;
                }
            }
        }
    }

    /// Whether the whole body, its end included, has been seen.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// How many bytes of the present chunk are still to come; 0 until its size has been read.
    pub fn left(&self) -> u64 {
        if self.state == State::Data { self.size } else { 0 }
    }

    fn take_data(&mut self, buffer: &mut BytesMut) -> Bytes {
        let length = usize::try_from(self.size).unwrap_or(usize::MAX).min(buffer.len());
        self.size -= length as u64;
        if self.size == 0 {
            self.state = State::DataCr;
        }
        buffer.split_to(length).freeze()
    }

    fn step(&mut self, byte: u8) -> Result<(), ChunkedFault> {
        self.state = match (self.state, byte) {
            (State::Start, _) => {
                self.size = digit(byte).ok_or(ChunkedFault::Character)?;
                self.skipped = 0;
                State::Size
            }
            (State::Size | State::Extension, b'\r') => State::SizeEnd,
            (State::Size, b';' | b' ' | b'\t') => State::Extension,
            (State::Size, _) => {
                let digit = digit(byte).ok_or(ChunkedFault::Character)?;
                if self.size > (i64::MAX as u64) >> 4 {
                    return Err(ChunkedFault::Size);
                }
                self.size = self.size << 4 | digit;
                self.skip()?;
                State::Size
            }
            (State::Extension | State::Trailer | State::TrailerStart, b'\n') => {
                return Err(ChunkedFault::Character);
            }
            (State::Extension, _) => {
                self.skip()?;
                State::Extension
            }
            (State::SizeEnd, b'\n') if self.size == 0 => {
                self.skipped = 0;
                State::TrailerStart
            }
            (State::SizeEnd, b'\n') => State::Data,
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Start,
            (State::TrailerStart, b'\r') => State::LastLf,
            (State::Trailer, b'\r') => State::TrailerEnd,
            (State::TrailerStart | State::Trailer, _) => {
                self.skip()?;
                self.keep(byte);
                State::Trailer
            }
            (State::TrailerEnd, b'\n') => {
                self.keep(byte);
                State::TrailerStart
            }
            (State::LastLf, b'\n') => State::Done,
            _ => return Err(ChunkedFault::Character),
        };
        Ok(())
    }

    fn skip(&mut self) -> Result<(), ChunkedFault> {
        self.skipped += 1;
        if self.skipped > MAX_SKIPPED { Err(ChunkedFault::TooLong) } else { Ok(()) }
    }
}

fn digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

/// The end of a chunked body without trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// The end of a chunk's data.
pub const CHUNK_END: &[u8] = b"\r\n";

/// Writes the line before a chunk of `length` bytes, which may not be none.
pub fn write_chunk_head(length: u64, out: &mut impl bytes::BufMut) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = (u64::BITS - length.leading_zeros()).div_ceil(4).max(1);
    for place in (0..digits).rev() {
        let digit = (length >> (place * 4)) & 0xf;
        out.put_u8(DIGITS.get(digit as usize).copied().unwrap_or(b'0'));
    }
    out.put_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The body, and what is left behind it.
    type Whole = (Vec<u8>, Vec<u8>);

    /// `None` while more is needed.
    fn decode(pieces: &[&[u8]]) -> Result<Option<Whole>, ChunkedFault> {
        let (mut decoder, mut buffer, mut body) = (Decoder::new(), BytesMut::new(), Vec::new());
        for (at, piece) in pieces.iter().enumerate() {
            buffer.extend_from_slice(piece);
            loop {
                match decoder.decode(&mut buffer)? {
                    Decoded::Data(data) => body.extend_from_slice(&data),
                    Decoded::Partial => break,
                    Decoded::End => {
                        buffer.extend_from_slice(&pieces[at + 1..].concat());
                        return Ok(Some((body, buffer.to_vec())));
                    }
                }
            }
        }
        Ok(None)
    }

    #[test]
    fn trailers_are_kept_where_they_are_wanted() {
        let coded = "1\r\na\r\n0\r\nA: b\r\nC: d\r\n\r\n";
        for (mut decoder, expected) in
            [(Decoder::new(), None), (Decoder::keeping_trailers(), Some("A: b\nC: d\n".into()))]
        {
            let mut buffer = BytesMut::from(coded);
            while decoder.decode(&mut buffer).unwrap() != Decoded::End {}
            assert_eq!(decoder.take_trailers(), expected);
            assert_eq!(decoder.take_trailers(), None);
        }
    }

    #[test]
    fn what_nginx_takes_is_taken() {
        for coded in [
            &b"3\r\nabc\r\n0\r\n\r\n"[..],
            b"3;a=b\r\nabc\r\n0;c\r\n\r\n",
            b"3 xx\r\nabc\r\n0 zz\r\n\r\n",
            b"3;a\x01\0b\r\nabc\r\n0\r\n\r\n",
            b"3\t\r\nabc\r\n0\r\n\r\n",
            b"0000000000000000000000000003\r\nabc\r\n000\r\n\r\n",
            b"3\r\nabc\r\n0\r\nX: y\r\nZ: w\r\n\r\n",
            b"3\r\nabc\r\n0\r\nX y\x01\0\r\n\r\n",
            b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
        ] {
            assert_eq!(decode(&[coded]), Ok(Some((b"abc".to_vec(), vec![]))), "{coded:?}");
        }
    }

    #[test]
    fn what_nginx_refuses_is_refused() {
        for coded in [
            &b"3\nabc\r\n0\r\n\r\n"[..],
            b"3\r\nabc\n0\r\n\r\n",
            b"3\r\nabc\r\n0\n\r\n",
            b"3\r\nabc\r\n0\r\n\n",
            b"3;a\nabc\r\n0\r\n\r\n",
            b"3;a\rb\r\nabc\r\n0\r\n\r\n",
            b" 3\r\nabc\r\n0\r\n\r\n",
            b"0x3\r\nabc\r\n0\r\n\r\n",
            b"-3\r\nabc",
            b"z\r\n",
            b"\r\n",
            b"3\r\r\nabc\r\n0\r\n\r\n",
            b"3\r\nabcX0\r\n\r\n",
            b"3\r\nabcd\r\n0\r\n\r\n",
            b"0\r\nX: y\n\r\n",
            b"0\r\nX: y\rz\r\n\r\n",
            b"8000000000000000\r\n",
            b"10000000000000000\r\n",
        ] {
            assert!(decode(&[coded]).is_err(), "{coded:?}");
        }
        assert_eq!(decode(&[b"7fffffffffffffff\r\n"]), Ok(None));
    }

    #[test]
    fn extensions_and_trailers_have_a_bound() {
        let long = [b"3;".to_vec(), vec![b'a'; 20_000]].concat();
        assert_eq!(decode(&[&long]), Err(ChunkedFault::TooLong));
        let zeros = vec![b'0'; 20_000];
        assert_eq!(decode(&[&zeros]), Err(ChunkedFault::TooLong));
        let many = [b"0\r\n".to_vec(), b"a: b\r\n".repeat(20_000)].concat();
        assert_eq!(decode(&[&many]), Err(ChunkedFault::TooLong));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_under_every_split(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
            behind in prop::collection::vec(any::<u8>(), 0..8),
        ) {
            let mut coded = Vec::new();
            for chunk in &chunks {
                write_chunk_head(chunk.len() as u64, &mut coded);
                coded.extend_from_slice(chunk);
                coded.extend_from_slice(CHUNK_END);
            }
            coded.extend_from_slice(LAST_CHUNK);
            let end = coded.len();
            coded.extend_from_slice(&behind);
            let expected = Ok(Some((chunks.concat(), behind)));
            prop_assert_eq!(decode(&[&coded[..end - 1]]), Ok(None));
            for at in 0..coded.len() {
                let (left, right) = coded.split_at(at);
                prop_assert_eq!(&decode(&[left, right]), &expected);
            }
            let bytes: Vec<&[u8]> = coded.chunks(1).collect();
            prop_assert_eq!(&decode(&bytes), &expected);
        }

        #[test]
        fn no_input_makes_it_panic_or_depend_on_the_split(
            coded in "([0-9a-fF;\r\n x]|\r\n){0,40}", at in 0usize..40,
        ) {
            let coded = coded.as_bytes();
            let (left, right) = coded.split_at(at.min(coded.len()));
            prop_assert_eq!(decode(&[coded]), decode(&[left, right]));
        }

        #[test]
        fn a_length_is_written_in_hex(length in 1u64..) {
            let mut out = Vec::new();
            write_chunk_head(length, &mut out);
            prop_assert_eq!(out, format!("{length:x}\r\n").into_bytes());
        }
    }
}
