//! `client_header_*` and what is made of a request's head.

use std::time::Duration;

use tidegate_config_derive::Directives;

use crate::value::Buffers;
use crate::value::size::Size;

/// The limits of a request's head, and how it is read.
#[derive(Clone, Debug, Directives)]
pub struct ClientHeader {
    /// How long a client may take for a head; 408 after it.
    #[directive("client_header_timeout", default = "60s", only(Http, Server))]
    pub timeout: Duration,
    /// The size of the first buffer for a head.
    #[directive("client_header_buffer_size", default = "1k", only(Http, Server))]
    pub buffer_size: Size,
    /// Number and size of the buffers for large heads; a line must fit in one (414, 400).
    #[directive("large_client_header_buffers", default = "4 8k", only(Http, Server))]
    pub large_buffers: Buffers,
    /// How many fields a head may have; 400 beyond it.
    #[directive("max_headers", default = "1000", only(Http, Server))]
    pub max_headers: u32,
    /// Whether fields with odd names are dropped rather than passed on.
    #[directive("ignore_invalid_headers", default = "on", only(Http, Server))]
    pub ignore_invalid: bool,
    /// Whether names with underscores are allowed.
    #[directive("underscores_in_headers", default = "off", only(Http, Server))]
    pub underscores: bool,
    /// Whether neighbouring slashes of a URI become one.
    #[directive("merge_slashes", default = "on", only(Http, Server))]
    pub merge_slashes: bool,
    /// The memory a connection gets at first.
    #[directive(
        "connection_pool_size",
        default = "512",
        only(Http, Server),
        ignored = "memory is taken as needed"
    )]
    pub connection_pool_size: Size,
    /// The memory a request gets at first.
    #[directive(
        "request_pool_size",
        default = "4k",
        only(Http, Server),
        ignored = "memory is taken as needed"
    )]
    pub request_pool_size: Size,
}
