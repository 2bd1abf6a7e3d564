//! The body of an answer: counted, in chunks, until the connection ends, or none.

use bytes::BytesMut;

use tidegate_http::chunked::{Decoded, Decoder};

use super::head::{self, Parsed};
use super::{Event, Invalid};

/// How the end of the body is told.
#[derive(Debug)]
pub(super) enum Body {
    /// There are so many bytes left.
    Length(u64),
    /// A chunk of length zero ends it.
    Chunks(Decoder),
    /// The peer closes the connection.
    UntilClose,
}

impl Body {
    /// What follows this head; `head_only` says that the request was HEAD.
    pub(super) fn after(parsed: &Parsed, head_only: bool) -> Self {
        if head_only || matches!(parsed.head.status, 204 | 304) {
            return Self::Length(0);
        }
        match parsed.head.content_length {
            Some(length) => Self::Length(length),
            None if parsed.chunked => Self::Chunks(Decoder::keeping_trailers()),
            None => Self::UntilClose,
        }
    }

    /// Whether the end can be told without the connection being closed.
    pub(super) fn is_framed(&self) -> bool {
        !matches!(self, Self::UntilClose)
    }

    /// Takes the next piece; as [`super::Decode::decode`].
    pub(super) fn decode(
        &mut self,
        input: &mut BytesMut,
        ended: bool,
    ) -> Result<Option<Event>, Invalid> {
        let event = match self {
            Self::Length(0) => return Ok(Some(Event::End)),
            Self::Length(_) | Self::UntilClose if input.is_empty() => None,
            Self::Length(left) => {
                let length = (*left).min(input.len() as u64);
                *left -= length;
                Some(Event::Body(input.split_to(length as usize).freeze()))
            }
            Self::Chunks(chunks) => match chunks.decode(input).map_err(Invalid::Chunks)? {
                Decoded::Data(data) => Some(Event::Body(data)),
                Decoded::End => Some(match chunks.take_trailers() {
                    Some(lines) => Event::Trailers(head::trailers(&lines)?),
                    None => Event::End,
                }),
                Decoded::Partial => None,
            },
            Self::UntilClose => Some(Event::Body(input.split().freeze())),
        };
        match event {
            None if ended && self.is_framed() => Err(Invalid::Ended),
            None if ended => Ok(Some(Event::End)),
            event => Ok(event),
        }
    }
}
