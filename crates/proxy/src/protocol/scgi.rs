//! SCGI: one string of variables with its length before it, the body as it is, an answer as from
//! CGI.
//!
//! Source: the specification of SCGI, <https://python.ca/scgi/protocol.txt>. A connection carries
//! one request.

use bytes::Bytes;

use super::head::Dialect;
use super::http1::Answer;
use super::{Codec, Decode};

/// A request in bytes.
#[derive(Debug)]
pub struct Scgi {
    head: Bytes,
    head_only: bool,
}

impl Scgi {
    /// Puts a request into bytes; `length` is that of its body, which must be told first.
    /// `head_only` says that the method is HEAD, whose answer has no body.
    pub fn new(length: u64, params: &[(Bytes, Bytes)], head_only: bool) -> Self {
        let mut text = Vec::with_capacity(512);
        text.extend_from_slice(b"CONTENT_LENGTH\0");
        text.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
        text.push(0);
        for (name, value) in params {
            for word in [name, value] {
                text.extend_from_slice(word);
                text.push(0);
            }
        }
        let mut head = Vec::with_capacity(text.len() + 8);
        head.extend_from_slice(itoa::Buffer::new().format(text.len()).as_bytes());
        head.push(b':');
        head.append(&mut text);
        head.push(b',');
        Self { head: head.into(), head_only }
    }
}

impl Codec for Scgi {
    fn head(&self) -> &[u8] {
        &self.head
    }

    fn is_raw(&self) -> bool {
        true
    }

    fn keeps(&self) -> bool {
        false
    }

    fn decoder(&self, limit: usize) -> Box<dyn Decode> {
        let mut answer = Answer::new(Dialect::Cgi, limit);
        answer.head_only = self.head_only;
        Box::new(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_one_string_behind_its_length() {
        let params = [("REQUEST_URI".into(), "/x".into()), ("EMPTY".into(), Bytes::new())];
        let scgi = Scgi::new(27, &params, false);
        assert_eq!(scgi.head(), b"40:CONTENT_LENGTH\x0027\0REQUEST_URI\0/x\0EMPTY\0\0,");
    }
}
