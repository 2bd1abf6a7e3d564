//! An answer taken out of its records, and what the application says beside it.

use std::rc::Rc;

use bytes::{Bytes, BytesMut};

use super::record::{Ending, Piece, Records};
use crate::protocol::head::Dialect;
use crate::protocol::{Decode, Event, Invalid, http1, told};

/// Reads one answer.
#[derive(Debug)]
pub(super) struct Answer {
    records: Records,
    /// The answer itself, as from CGI.
    inner: http1::Answer,
    /// What has come of it and was not read.
    stdout: BytesMut,
    /// Whether its head was read.
    begun: bool,
    /// Whether its body was read to the end.
    complete: bool,
    /// How the application has ended it.
    end: End,
    /// Whether the connection is to carry other requests.
    keep: bool,
    caught: Rc<[Bytes]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Not yet.
    Open,
    /// Its output is closed.
    Closed,
    /// The request is over.
    Over,
}

impl Answer {
    /// A reader of an answer whose head has at most `limit` bytes.
    pub(super) fn new(limit: usize, keep: bool, caught: Rc<[Bytes]>) -> Self {
        Self {
            records: Records::default(),
            inner: http1::Answer::new(Dialect::Fastcgi, limit),
            stdout: BytesMut::new(),
            begun: false,
            complete: false,
            end: End::Open,
            keep,
            caught,
        }
    }

    /// Says whether the request was HEAD.
    pub(super) fn head_only(&mut self, head_only: bool) {
        self.inner.head_only = head_only;
    }

    /// The next event of what has come of the answer itself.
    fn read(&mut self) -> Result<Option<Event>, Invalid> {
        if self.complete {
            // nginx passes over what is more than was promised, too.
            self.stdout.clear();
            return Ok(None);
        }
        match self.inner.decode(&mut self.stdout, self.end != End::Open) {
            Ok(Some(Event::End)) => {
                self.complete = true;
                Ok(None)
            }
            Ok(event) => {
                self.begun |= matches!(event, Some(Event::Head(_)));
                Ok(event)
            }
            Err(Invalid::Ended) => Err(Invalid::Stdout),
            Err(invalid) => Err(invalid),
        }
    }

    /// Takes note of a record.
    fn take(&mut self, piece: Piece) -> Result<Option<Event>, Invalid> {
        match piece {
            Piece::Stdout(bytes) if self.stdout.is_empty() => self.stdout = bytes,
            Piece::Stdout(bytes) => self.stdout.extend_from_slice(&bytes),
            Piece::Stderr(text) => {
                let caught = |word: &Bytes| contains(&text, word);
                if !self.begun && self.caught.iter().any(caught) {
                    return Err(Invalid::Caught(told(&text)));
                }
                return Ok(Some(Event::Told(text)));
            }
            Piece::Closed if !self.begun => return Err(Invalid::Stdout),
            Piece::Closed => self.end = End::Closed,
            Piece::End(ending) if !self.begun => return Err(refusal(ending)),
            Piece::End(_) => self.end = End::Over,
        }
        Ok(None)
    }

    /// Whether nothing more has to come.
    fn is_over(&self) -> bool {
        match self.end {
            End::Open => false,
            // As in nginx, who does not keep the connection does not wait for its last record.
            End::Closed => !self.keep,
            End::Over => !self.keep || self.records.is_between(),
        }
    }
}

impl Decode for Answer {
    fn decode(&mut self, input: &mut BytesMut, ended: bool) -> Result<Option<Event>, Invalid> {
        loop {
            if let Some(event) = self.read()? {
                return Ok(Some(event));
            }
            if self.complete && self.end == End::Over {
                // What comes behind is of another request, or of none.
                self.records.pad(input);
            }
            if self.complete && self.is_over() {
                return Ok(Some(Event::End));
            }
            let Some(piece) = self.records.next(input)? else {
                return match ended {
                    _ if self.complete && (ended || self.is_over()) => Ok(Some(Event::End)),
                    true => Err(Invalid::Ended),
                    false => Ok(None),
                };
            };
            let told = self.take(piece)?;
            if told.is_some() {
                return Ok(told);
            }
        }
    }

    fn reusable(&self) -> bool {
        self.keep && self.end == End::Over && self.records.is_between()
    }
}

/// The request is over before there was an answer.
fn refusal(ending: Ending) -> Invalid {
    let reason = match ending {
        Ending::Complete => "unexpected FastCGI record: 3",
        Ending::Alone => "unexpected FastCGI record: 3, it takes one request at a time",
        Ending::Overloaded => "unexpected FastCGI record: 3, it is overloaded",
        Ending::UnknownRole => "unexpected FastCGI record: 3, it does not answer requests",
    };
    Invalid::Record(reason.to_owned())
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    word.is_empty() || memchr::memmem::find(text, word).is_some()
}
