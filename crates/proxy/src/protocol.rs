//! What is spoken with upstreams: one codec a protocol, bytes in and events out, no sockets.

pub mod fastcgi;
pub mod http1;
pub mod http2;
pub mod scgi;
pub mod uwsgi;

mod body;
mod draft;
mod head;
mod invalid;
pub(crate) mod params;

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use tidegate_http::headers::Headers;

pub use invalid::Invalid;

/// A request put into bytes, which may be sent more than once, and what its answer looks like.
///
/// A protocol is one implementation: `http1`, `uwsgi`; others need no change outside their file.
pub trait Codec {
    /// Everything that stands before the body.
    fn head(&self) -> &[u8];

    /// Queues a piece of the body, in whatever frame the protocol puts around it.
    fn data(&self, bytes: Bytes, out: &mut VecDeque<Bytes>) {
        out.push_back(bytes);
    }

    /// Whether a connection may carry another request; where none does, none is looked for.
    fn keeps(&self) -> bool {
        true
    }

    /// Whether the body goes as it is, without frames.
    fn is_raw(&self) -> bool {
        false
    }

    /// Queues what says that the body is complete.
    fn end(&self, _out: &mut VecDeque<Bytes>) {}

    /// The request over HTTP/2, whose frames are not made here.
    fn http2(&self) -> Option<&http2::Http2> {
        None
    }

    /// A decoder for one answer, whose head may have `limit` bytes (nginx: `proxy_buffer_size`).
    fn decoder(&self, limit: usize) -> Box<dyn Decode>;
}

/// One answer being read.
pub trait Decode {
    /// Takes the next event from the front of `input`, or asks for more by `None`.
    ///
    /// `ended` says that nothing will follow what is there. After [`Event::End`], and after the
    /// head of an upgrade, the rest of `input` is left alone.
    fn decode(&mut self, input: &mut BytesMut, ended: bool) -> Result<Option<Event>, Invalid>;

    /// Whether the connection may carry another request, once [`Event::End`] was seen.
    fn reusable(&self) -> bool;
}

/// What an answer consists of, in order: any number of hints, one head, its body, the end.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// An interim answer: 100, 102, 103.
    Hint(Head),
    /// The head of the answer.
    Head(Head),
    /// A piece of the body; never empty.
    Body(Bytes),
    /// What the application says beside its answer, for the log (`FastCGI`'s error stream).
    Told(Bytes),
    /// The fields behind the body.
    Trailers(Headers),
    /// The answer is complete.
    End,
}

/// What an application says beside its answer, as nginx's error log has it.
pub(crate) fn told(text: &[u8]) -> String {
    let last = text.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n' | b'.' | b' '));
    // nginx leaves the first byte, whatever it is.
    let text = text.get(..=last.unwrap_or(0)).unwrap_or_default();
    format!("FastCGI sent in stderr: \"{}\"", String::from_utf8_lossy(text))
}

/// The head of an answer as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The status code, from 100.
    pub status: u16,
    /// What follows the code; `None` where the protocol has no such text.
    pub reason: Option<Bytes>,
    /// Every field, in order and spelling.
    pub headers: Headers,
    /// The value of `Content-Length`.
    pub content_length: Option<u64>,
    /// Whether the connection is a tunnel from here on.
    pub upgrade: bool,
    /// How many bytes it took on the wire.
    pub size: usize,
}

#[cfg(test)]
mod tests;
