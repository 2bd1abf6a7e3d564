//! FastCGI: a request in records, an answer as from CGI in records.
//!
//! Source: the `FastCGI` specification 1.0. One request at a time is on a connection; its number is
//! always 1, and records of another one are a fault.

mod answer;
mod record;

use std::collections::VecDeque;
use std::rc::Rc;

use bytes::Bytes;

use super::{Codec, Decode};
use record::{Kind, MOST};

/// A request in bytes.
#[derive(Debug)]
pub struct Fastcgi {
    head: Bytes,
    keep: bool,
    head_only: bool,
    caught: Rc<[Bytes]>,
}

/// What a request consists of besides its body.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Names and values in order.
    pub params: Vec<(Bytes, Bytes)>,
    /// Whether the application is to keep the connection (nginx: `fastcgi_keep_conn`).
    pub keep: bool,
    /// Whether the method is HEAD, whose answer has no body.
    pub head_only: bool,
    /// Texts in the error stream that make an answer invalid (nginx: `fastcgi_catch_stderr`).
    pub caught: Vec<Bytes>,
}

/// The application is to answer, rather than to judge or to filter.
const RESPONDER: u8 = 1;

/// How much of a body goes into a record (nginx: 32 KiB).
const BODY: usize = 32 * 1024;

impl Fastcgi {
    /// Puts a request into bytes. Parameters that do not fit into one record go into several.
    pub fn new(request: &Request) -> Self {
        let mut params = Vec::with_capacity(1024);
        for (name, value) in &request.params {
            put_length(name.len(), &mut params);
            put_length(value.len(), &mut params);
            params.extend_from_slice(name);
            params.extend_from_slice(value);
        }
        let mut out = Vec::with_capacity(params.len() + 48);
        out.extend_from_slice(&record::head(Kind::Begin, 8, 0));
        out.extend_from_slice(&[0, RESPONDER, u8::from(request.keep), 0, 0, 0, 0, 0]);
        for piece in params.chunks(MOST) {
            let padding = record::padding(piece.len());
            out.extend_from_slice(&record::head(Kind::Params, piece.len(), padding.len()));
            out.extend_from_slice(piece);
            out.extend_from_slice(padding);
        }
        out.extend_from_slice(&record::head(Kind::Params, 0, 0));
        let Request { keep, head_only, .. } = *request;
        Self { head: out.into(), keep, head_only, caught: request.caught.as_slice().into() }
    }
}

/// One byte for a short text, four for a longer one.
fn put_length(length: usize, out: &mut Vec<u8>) {
    match u8::try_from(length) {
        Ok(short @ 0..=127) => out.push(short),
        // Heads are bounded far below what 31 bits can say.
        _ => out.extend_from_slice(&(length as u32 | 1 << 31).to_be_bytes()),
    }
}

impl Codec for Fastcgi {
    fn head(&self) -> &[u8] {
        &self.head
    }

    fn data(&self, mut bytes: Bytes, out: &mut VecDeque<Bytes>) {
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(BODY));
            let padding = record::padding(piece.len());
            let head = record::head(Kind::Stdin, piece.len(), padding.len());
            out.push_back(Bytes::copy_from_slice(&head));
            out.push_back(piece);
            if !padding.is_empty() {
                out.push_back(Bytes::from_static(padding));
            }
        }
    }

    fn end(&self, out: &mut VecDeque<Bytes>) {
        out.push_back(Bytes::copy_from_slice(&record::head(Kind::Stdin, 0, 0)));
    }

    fn decoder(&self, limit: usize) -> Box<dyn Decode> {
        let mut answer = answer::Answer::new(limit, self.keep, self.caught.clone());
        answer.head_only(self.head_only);
        Box::new(answer)
    }
}

#[cfg(test)]
mod tests;
