//! What an answer carries after its head.

mod stream;

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use tokio::io::{AsyncRead, AsyncWrite};

/// The body of an answer.
///
/// Files stay files until the connection writes them, so that the kernel can send them; filters
/// that need their bytes ask for [`Body::into_stream`].
#[derive(Default)]
pub enum Body {
    /// No bytes.
    #[default]
    Empty,
    /// All bytes, in memory.
    Bytes(Bytes),
    /// A piece of a file.
    File(FileSlice),
    /// Several pieces, one after the other (multipart ranges, text around a body).
    Parts(VecDeque<Part>),
    /// Bytes that are still on their way. An error ends the answer short: the connection is
    /// closed without the last chunk, so that the client can tell.
    Stream(BodyStream),
    /// Not a body: after a 101 both sides talk freely until one of them ends.
    Tunnel(Tunnel),
}

/// Bytes on their way. Items are not empty.
pub type BodyStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>>>>;

/// Why a body ends short, where that has been told already.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the body ends short")]
pub struct Told;

impl Told {
    /// Whether an error of a body has been told already.
    pub fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|error| error.downcast_ref::<Self>().is_some())
    }
}

/// A piece of a body that is known in full.
#[derive(Clone, Debug)]
pub enum Part {
    /// Bytes in memory.
    Bytes(Bytes),
    /// A piece of a file.
    File(FileSlice),
}

/// A piece of an open file.
#[derive(Clone, Debug)]
pub struct FileSlice {
    /// The file; read by position, never by its cursor, for others may hold it too.
    pub file: Rc<File>,
    /// Where the piece begins, in bytes.
    pub offset: u64,
    /// How long it is, in bytes.
    pub length: u64,
}

/// An upgraded connection to an upstream, such as a WebSocket.
pub struct Tunnel {
    /// The upstream's side.
    pub stream: Pin<Box<dyn Duplex>>,
    /// Bytes the upstream sent behind its head, to be written to the client first.
    pub early: Bytes,
    /// How long both sides may be silent (nginx: `proxy_read_timeout`).
    pub timeout: Duration,
}

/// Both directions of a byte stream.
pub trait Duplex: AsyncRead + AsyncWrite {}

impl<T: AsyncRead + AsyncWrite> Duplex for T {}

impl Body {
    /// The number of bytes, where it is known without reading.
    pub fn len(&self) -> Option<u64> {
        match self {
            Self::Empty => Some(0),
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::File(slice) => Some(slice.length),
            Self::Parts(parts) => Some(parts.iter().map(Part::len).sum()),
            Self::Stream(_) | Self::Tunnel(_) => None,
        }
    }

    /// Whether it is known to be without a byte.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }
}

impl Part {
    /// The number of bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(slice) => slice.length,
        }
    }

    /// Whether it is without a byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => f.debug_tuple("Bytes").field(&bytes.len()).finish(),
            Self::File(slice) => f.debug_tuple("File").field(slice).finish(),
            Self::Parts(parts) => f.debug_tuple("Parts").field(parts).finish(),
            Self::Stream(_) => f.write_str("Stream"),
            Self::Tunnel(_) => f.write_str("Tunnel"),
        }
    }
}
