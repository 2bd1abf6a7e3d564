//! Records: eight bytes that say what and how much, that much, and padding.

use bytes::{Buf, Bytes, BytesMut};

use crate::protocol::Invalid;

/// What a record holds (`FastCGI` specification, section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Begin = 1,
    Params = 4,
    Stdin = 5,
}

/// The most that goes into one record, with padding.
pub(super) const MOST: usize = 65_528;

/// How long a record's head is.
const HEAD: usize = 8;

const VERSION: u8 = 1;

/// The number of the only request.
const REQUEST: u8 = 1;

const END: u8 = 3;
const STDOUT: u8 = 6;
const STDERR: u8 = 7;

/// A record's head.
pub(super) fn head(kind: Kind, length: usize, padding: usize) -> [u8; HEAD] {
    let [high, low] = (length as u16).to_be_bytes();
    [VERSION, kind as u8, 0, REQUEST, high, low, padding as u8, 0]
}

/// What a record of so many bytes is filled up with, to a multiple of eight.
pub(super) fn padding(length: usize) -> &'static [u8] {
    const ZEROS: &[u8] = &[0; 7];
    ZEROS.get(..length.wrapping_neg() % 8).unwrap_or_default()
}

/// What an application sends, in the order it comes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Some of its answer; never empty.
    Stdout(BytesMut),
    /// Its answer is complete.
    Closed,
    /// A whole record of its error stream; never empty.
    Stderr(Bytes),
    /// The request is over, as the application has said in this way.
    End(Ending),
}

/// How an application has ended a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It has answered.
    Complete,
    /// It takes one request at a time.
    Alone,
    /// It has too much to do.
    Overloaded,
    /// It does not know what we want of it.
    UnknownRole,
}

/// Cuts records off what has come, piece by piece.
#[derive(Debug, Default)]
pub(super) struct Records {
    kind: u8,
    /// What is still to come of the content, and then of the padding.
    left: usize,
    padding: usize,
    /// What has come of a record that is given as a whole.
    whole: BytesMut,
}

impl Records {
    /// Takes the next piece from the front of `input`; `None` asks for more.
    pub(super) fn next(&mut self, input: &mut BytesMut) -> Result<Option<Piece>, Invalid> {
        loop {
            if self.left > 0 {
                if input.is_empty() {
                    return Ok(None);
                }
                let bytes = input.split_to(self.left.min(input.len()));
                self.left -= bytes.len();
                if self.kind == STDOUT {
                    return Ok(Some(Piece::Stdout(bytes)));
                }
                self.whole.extend_from_slice(&bytes);
                if self.left == 0 {
                    return Ok(Some(self.complete()));
                }
                continue;
            }
            self.pad(input);
            if self.padding > 0 {
                return Ok(None);
            }
            // A fault is told as soon as it can be seen.
            judge(input)?;
            if input.len() < HEAD {
                return Ok(None);
            }
            if let Some(empty) = self.begin(input) {
                return Ok(Some(empty));
            }
        }
    }

    /// Passes over what a record was filled up with, behind its content.
    pub(super) fn pad(&mut self, input: &mut BytesMut) {
        let padding = self.padding.min(input.len());
        input.advance(padding);
        self.padding -= padding;
    }

    /// Takes the head of a record that is all there; an empty one may say something by itself.
    fn begin(&mut self, input: &mut BytesMut) -> Option<Piece> {
        let head = input.split_to(HEAD);
        let byte = |place: usize| head.get(place).copied().unwrap_or_default();
        self.kind = byte(1);
        self.left = usize::from(u16::from_be_bytes([byte(4), byte(5)]));
        self.padding = usize::from(byte(6));
        match self.kind {
            STDOUT if self.left == 0 => Some(Piece::Closed),
            END if self.left == 0 => Some(Piece::End(Ending::Complete)),
            _ => None,
        }
    }

    fn complete(&mut self) -> Piece {
        let whole = std::mem::take(&mut self.whole).freeze();
        if self.kind == STDERR {
            return Piece::Stderr(whole);
        }
        // Four bytes are the program's own status, which nobody here can judge.
        Piece::End(match whole.get(4) {
            Some(1) => Ending::Alone,
            Some(2) => Ending::Overloaded,
            Some(3) => Ending::UnknownRole,
            _ => Ending::Complete,
        })
    }

    /// Whether all of the last record has come.
    pub(super) fn is_between(&self) -> bool {
        self.left == 0 && self.padding == 0
    }
}

/// Judges what is there of a record's head (nginx: `ngx_http_fastcgi_process_record`).
fn judge(head: &[u8]) -> Result<(), Invalid> {
    for (place, &byte) in head.iter().take(HEAD).enumerate() {
        let fault = match place {
            0 if byte != VERSION => "unsupported FastCGI protocol version",
            1 if !matches!(byte, END | STDOUT | STDERR) => "invalid FastCGI record type",
            2 if byte != 0 => "unexpected FastCGI request id high byte",
            3 if byte != REQUEST => "unexpected FastCGI request id low byte",
            _ => continue,
        };
        return Err(Invalid::Record(format!("{fault}: {byte}")));
    }
    Ok(())
}
