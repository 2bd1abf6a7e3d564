//! `sendfile`, `tcp_nopush` and other ways to write, and `send_timeout`.

use std::time::Duration;

use tidegate_config_derive::Directives;

use crate::value::Buffers;
use crate::value::choice::choice;
use crate::value::size::Size;

/// Ways to write an answer.
#[derive(Clone, Debug, Directives)]
pub struct Sendfile {
    /// Lets the kernel send files.
    #[directive("sendfile", default = "off", also(LocationIf))]
    pub enabled: bool,
    /// The most that one call sends, so that one fast client does not hold a worker.
    #[directive("sendfile_max_chunk", default = "2m")]
    pub max_chunk: Size,
    /// How long a client may take nothing between two writes.
    #[directive("send_timeout", default = "60s")]
    pub timeout: Duration,
    /// Sends full packets only.
    #[directive(
        "tcp_nopush",
        default = "off",
        ignored = "head and small body always leave in one call"
    )]
    pub nopush: bool,
    /// Sends small packets at once.
    #[directive("tcp_nodelay", default = "on", ignored = "it is always on")]
    pub nodelay: bool,
    /// Reads files without stopping the worker.
    #[directive(
        "aio",
        args(1),
        ignored = "files are read off the worker where they are not in memory"
    )]
    pub aio: Option<String>,
    /// Writes files without stopping the worker.
    #[directive("aio_write", default = "off", ignored = "files are written off the worker")]
    pub aio_write: bool,
    /// Reads large files past the page cache.
    #[directive("directio", args(1), ignored = "files are read through the page cache")]
    pub directio: Option<String>,
    /// The alignment of such reads.
    #[directive(
        "directio_alignment",
        default = "512",
        ignored = "files are read through the page cache"
    )]
    pub directio_alignment: Size,
    /// How much is read ahead.
    #[directive("read_ahead", default = "0", ignored = "the kernel reads ahead by itself")]
    pub read_ahead: Size,
    /// Number and size of the buffers that files are read into.
    #[directive("output_buffers", default = "2 32k", ignored = "buffers have a fixed size")]
    pub output_buffers: Buffers,
    /// How much is collected before it is written.
    #[directive("postpone_output", default = "1460", ignored = "what is there is written")]
    pub postpone_output: Size,
    /// How much room a socket must have before it is written to.
    #[directive("send_lowat", default = "0", ignored = "it has no effect on Linux")]
    pub lowat: Size,
    /// Ends connections that timed out, or that 444 ends, with a reset.
    #[directive("reset_timedout_connection", default = "off")]
    pub reset_timedout: bool,
    /// Sends bodies of unknown length in chunks.
    #[directive("chunked_transfer_encoding", default = "on")]
    pub chunked: bool,
    /// Whether what a client still sends is read before closing: `on` where more is likely. Over
    /// HTTP/2, where a connection carries many requests, the word of the server holds.
    #[directive("lingering_close", default = "on")]
    pub lingering_close: Lingering,
    /// For how long it is read; over HTTP/2 by the word of the server.
    #[directive("lingering_time", default = "30s")]
    pub lingering_time: Duration,
    /// How long more of it is waited for; over HTTP/2 by the word of the server.
    #[directive("lingering_timeout", default = "5s")]
    pub lingering_timeout: Duration,
}

choice! {
    /// Whether what a client still sends is read before closing.
    pub enum Lingering {
        /// Never.
        Off = "off",
        /// Where more is likely.
        On = "on",
        /// Always.
        Always = "always",
    }
}
