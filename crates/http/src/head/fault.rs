//! Why a request head is refused, in the words of nginx's error log.

use thiserror::Error;

/// Why a head is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HeadFault {
    /// The method has other characters than `A` to `Z`, `-` and `_`.
    #[error("client sent invalid method")]
    Method,
    /// A character of the request line may not stand where it stands, or the path is bad.
    #[error("client sent invalid request")]
    Line,
    /// HTTP/2 or more in a head of HTTP/1.
    #[error("client sent invalid version")]
    Version,
    /// Not GET, without a version.
    #[error("client sent invalid method in HTTP/0.9 request")]
    Http09Method,
    /// The host of an absolute target is bad.
    #[error("client sent invalid host in request line")]
    LineHost,
    /// The request line does not fit a buffer.
    #[error("client sent too long URI")]
    LongLine,
    /// A header line does not fit a buffer, or all do not fit the buffers.
    #[error("client sent too long header line: \"{0}...\"")]
    LongHeader(String),
    /// More fields than `max_headers`.
    #[error("client sent too many header lines")]
    TooManyHeaders,
    /// A header line has a character where it may not stand.
    #[error("client sent invalid header line: \"{0}...\"")]
    HeaderLine(String),
    /// A second `Host`.
    #[error("client sent duplicate host header: \"{0}\", previous value: \"{1}\"")]
    DuplicateHost(String, String),
    /// A second field of a name that may come once.
    #[error("client sent duplicate header line: \"{0}\", previous value: \"{1}\"")]
    Duplicate(String, String),
    /// A `Host` that is none.
    #[error("client sent invalid host header")]
    Host,
    /// No `Host` in HTTP/1.1.
    #[error("client sent HTTP/1.1 request without \"Host\" header")]
    NoHost,
    /// A `Content-Length` that is no number.
    #[error("client sent invalid \"Content-Length\" header")]
    ContentLength,
    /// A transfer coding from a client of HTTP/1.0.
    #[error("client sent HTTP/1.0 request with \"Transfer-Encoding\" header")]
    Http10TransferEncoding,
    /// Two framings at once.
    #[error("client sent \"Content-Length\" and \"Transfer-Encoding\" headers at the same time")]
    TwoLengths,
    /// A transfer coding other than `chunked`.
    #[error("client sent unknown \"Transfer-Encoding\": \"{0}\"")]
    TransferEncoding(String),
    /// A method of HTTP/2 with other characters than `A` to `Z`, `-` and `_`.
    #[error("client sent invalid method: \"{0}\"")]
    MethodName(String),
    /// A path of HTTP/2 that does not begin with a slash, or leads above the root.
    #[error("client sent invalid :path header: \"{0}\"")]
    Path(String),
    /// A host of HTTP/2 that is none.
    #[error("client sent invalid \":authority\" header")]
    Authority,
    /// No host in HTTP/2.
    #[error("client sent neither \":authority\" nor \"Host\" header")]
    NoAuthority,
    /// Two hosts in HTTP/2.
    #[error("client sent \":authority\" and \"Host\" headers with different values")]
    TwoHosts,
    /// HTTP/2 to a server that does not speak it, though its neighbour does.
    #[error(
        "client attempted to request the server name for which the negotiated protocol is disabled"
    )]
    NotSpoken,
    /// A method that nginx never answers.
    #[error("client sent {0} method")]
    Refused(&'static str),
}

impl HeadFault {
    /// The status that error pages are chosen by; 494 is answered as 400 with a text of its own.
    pub fn status(&self) -> u16 {
        match self {
            Self::Version => 505,
            Self::LongLine => 414,
            Self::LongHeader(_) | Self::TooManyHeaders => 494,
            Self::TransferEncoding(_) => 501,
            Self::Refused(_) => 405,
            Self::NotSpoken => 421,
            _ => 400,
        }
    }

    /// What was being done, for the error log.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Method
            | Self::Line
            | Self::Version
            | Self::Http09Method
            | Self::LineHost
            | Self::LongLine => "reading client request line",
            _ => "reading client request headers",
        }
    }

    /// A fault at byte `at` of a header line, which may be its length.
    pub(super) fn header_line(line: &[u8], at: usize) -> Self {
        let before = text(line.get(..at).unwrap_or(line));
        let byte = line.get(at).copied().unwrap_or(b'\n');
        Self::HeaderLine(format!("{before}\\x{byte:02x}"))
    }

    pub(super) fn long_header(line: &[u8]) -> Self {
        const SHOWN: usize = 1024;
        Self::LongHeader(text(line.get(..SHOWN).unwrap_or(line)))
    }
}

/// Bytes for a log.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
