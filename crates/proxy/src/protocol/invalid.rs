//! What can be wrong with an answer, in nginx's words.

use thiserror::Error;
use tidegate_http::chunked::ChunkedFault;

/// Why bytes from an upstream are no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Invalid {
    /// The first line is no status line. (nginx would pass the bytes on as an HTTP/0.9 answer; to a
    /// client of HTTP/1 they would look like anything the backend likes.)
    #[error("upstream sent no valid HTTP/1.0 header")]
    StatusLine,
    /// A `Status` field that does not begin with a number.
    #[error("upstream sent invalid status \"{0}\"")]
    Status(String),
    /// A line that is no header field.
    #[error("upstream sent invalid header: \"{0}\"")]
    Field(String),
    /// A field that must stand alone stands twice.
    #[error("upstream sent duplicate header line: \"{line}\", previous value: \"{previous}\"")]
    Duplicate {
        /// The second line.
        line: String,
        /// The first line.
        previous: String,
    },
    /// A length that is no number.
    #[error("upstream sent invalid \"Content-Length\" header: \"Content-Length: {0}\"")]
    ContentLength(String),
    /// A length and a transfer coding contradict each other.
    #[error("upstream sent \"Content-Length\" and \"Transfer-Encoding\" headers at the same time")]
    LengthAndCoding,
    /// A transfer coding other than `chunked`.
    #[error("upstream sent unknown \"Transfer-Encoding\": \"{0}\"")]
    Coding(String),
    /// The head does not fit into `*_buffer_size`.
    #[error("upstream sent too big header")]
    TooBig,
    /// 101 to a request that did not ask for it.
    #[error("upstream switched protocols without being asked")]
    Upgrade,
    /// The chunks of the body are not well-formed.
    #[error("upstream sent invalid chunked response ({0})")]
    Chunks(ChunkedFault),
    /// A FastCGI record that may not come, or not now.
    #[error("upstream sent {0}")]
    Record(String),
    /// The output of a FastCGI application ends before its answer is complete.
    #[error("upstream prematurely closed FastCGI stdout")]
    Stdout,
    /// The error stream of a FastCGI application says what `fastcgi_catch_stderr` names.
    #[error("{0}")]
    Caught(String),
    /// Frames of HTTP/2 that are none, or that refuse the request.
    #[error("{0}")]
    Http2(String),
    /// A head or a body of HTTP/2 that is against the rules, or a head that is far too big: the library
    /// does not tell them apart.
    #[error("upstream sent invalid HTTP/2 ({0})")]
    Malformed(String),
    /// The connection was closed before the answer was complete.
    #[error("upstream prematurely closed connection")]
    Ended,
}
