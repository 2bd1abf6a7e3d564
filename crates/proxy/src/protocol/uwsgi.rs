//! The uwsgi protocol: one packet of variables, the body as it is, an answer as from CGI.
//!
//! Source: the uwsgi protocol's own page in uWSGI's documentation. Packets end with the connection.

use bytes::Bytes;
use thiserror::Error;

use super::head::Dialect;
use super::http1::Answer;
use super::{Codec, Decode};

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
        let pairs = packet.params.iter().map(|(name, value)| 4 + name.len() + value.len());
        let size = pairs.sum::<usize>() + packet.string.len();
        let vars = u16::try_from(size).map_err(|_| TooLong(size))?;
        let mut out = Vec::with_capacity(4 + size);
        out.push(packet.modifier1);
        out.extend_from_slice(&vars.to_le_bytes());
        out.push(packet.modifier2);
        for (name, value) in &packet.params {
            for text in [name, value] {
                // It fits, for all of them together do.
                out.extend_from_slice(&(text.len() as u16).to_le_bytes());
                out.extend_from_slice(text);
            }
        }
        out.extend_from_slice(&packet.string);
        Ok(Self { head: out.into(), upgrade: packet.upgrade, head_only: packet.head_only })
    }
}

impl Codec for Uwsgi {
    fn head(&self) -> Bytes {
        self.head.clone()
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
