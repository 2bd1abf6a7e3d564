//! The uwsgi protocol: one packet of variables, the body as it is, an answer as from CGI.
//!
//! Source: the uwsgi protocol's own page in uWSGI's documentation. Packets end with the connection.

use bytes::Bytes;
use thiserror::Error;
use tidegate_config::http::uwsgi::Param;

use super::head::Dialect;
use super::http1::Answer;
use super::params::{Params, put_field};
use super::{Codec, Decode, draft};

/// A request in bytes.
#[derive(Debug)]
pub struct Uwsgi {
    head: Bytes,
    upgrade: bool,
    head_only: bool,
}

/// The variables do not fit into a packet, whose lengths have 16 bits; holds their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("uwsgi request is too big: {0}")]
pub struct TooLong(pub usize);

/// What a request consists of.
#[derive(Clone, Debug, Default)]
pub struct Packet {
    /// What kind of packet it is (nginx: `uwsgi_modifier1`); 0 is a request for an application.
    pub modifier1: u8,
    /// More about the kind (nginx: `uwsgi_modifier2`).
    pub modifier2: u8,
    /// Names and values in order.
    pub params: Vec<(Bytes, Bytes)>,
    /// Bytes behind the last parameter (nginx: `uwsgi_string`).
    pub string: Bytes,
    /// Whether the method is HEAD, whose answer has no body.
    pub head_only: bool,
    /// Whether an answer 101 is welcome.
    pub upgrade: bool,
}

impl Uwsgi {
    /// Puts the request into bytes, unless its variables take more than 65535 of them.
    pub fn new(packet: &Packet) -> Result<Self, TooLong> {
        let mut draft = Draft::new(packet.modifier1, packet.modifier2);
        for (name, value) in &packet.params {
            draft.begin(name, b"");
            draft.value().extend_from_slice(value);
            draft.end();
        }
        draft.out.extend_from_slice(&packet.string);
        draft.finish(packet.head_only, packet.upgrade)
    }
}

/// A packet that is being put together.
#[derive(Debug)]
pub(crate) struct Draft {
    out: Vec<u8>,
    /// Where the last variable begins, and its value, each with its length.
    variable: (usize, usize),
}

impl Draft {
    /// A packet of this kind, without variables.
    pub(crate) fn new(modifier1: u8, modifier2: u8) -> Self {
        let mut out = draft::begin();
        out.extend_from_slice(&[modifier1, 0, 0, modifier2]);
        Self { out, variable: (4, 4) }
    }

    /// Puts a length where room was left for it. One that does not fit makes the whole too long.
    fn put_length(&mut self, place: usize, length: usize) {
        if let Some(room) = self.out.get_mut(place..place + 2) {
            room.copy_from_slice(&(length as u16).to_le_bytes());
        }
    }

    /// Ends it, unless it takes more than 65535 bytes.
    pub(crate) fn finish(mut self, head_only: bool, upgrade: bool) -> Result<Uwsgi, TooLong> {
        let size = self.out.len() - 4;
        let vars = u16::try_from(size).map_err(|_| TooLong(size))?;
        self.put_length(1, vars.into());
        Ok(Uwsgi { head: draft::finish(self.out), upgrade, head_only })
    }
}

impl Params for Draft {
    #[inline]
    fn begin(&mut self, name: &[u8], field: &[u8]) {
        let (start, length) = (self.out.len(), name.len() + field.len());
        self.out.extend_from_slice(&(length as u16).to_le_bytes());
        self.out.extend_from_slice(name);
        put_field(field, &mut self.out);
        self.variable = (start, self.out.len());
        self.out.extend_from_slice(&[0, 0]);
    }

    #[inline]
    fn begin_known(&mut self, param: &Param) {
        let start = self.out.len();
        self.out.extend_from_slice(&param.packed);
        self.variable = (start, self.out.len() - 2);
    }

    fn value(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    fn is_empty(&self) -> bool {
        self.out.len() == self.variable.1 + 2
    }

    fn end(&mut self) {
        let start = self.variable.1;
        self.put_length(start, self.out.len() - start - 2);
    }

    fn forget(&mut self) {
        self.out.truncate(self.variable.0);
    }
}

impl Codec for Uwsgi {
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
        answer.upgrade = self.upgrade;
        Box::new(answer)
    }
}

#[cfg(test)]
mod tests;
