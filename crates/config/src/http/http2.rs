//! `http2`: connections that carry several requests at once.

use tidegate_config_derive::Directives;

/// Why nothing of it acts.
const ONE_AT_A_TIME: &str = "connections carry one request at a time";

/// Connections that carry several requests at once.
#[derive(Clone, Debug, Directives)]
pub struct Http2 {
    /// Lets connections carry several requests at once.
    #[directive("http2", only(Http, Server), default = "off", ignored = ONE_AT_A_TIME)]
    pub enabled: bool,
    /// How much of a body may come unasked.
    #[directive("http2_body_preread_size", only(Http, Server), args(1), ignored = ONE_AT_A_TIME)]
    pub body_preread_size: Option<Vec<String>>,
    /// The largest piece of a body.
    #[directive("http2_chunk_size", args(1), ignored = ONE_AT_A_TIME)]
    pub chunk_size: Option<Vec<String>>,
    /// Obsolete.
    #[directive("http2_idle_timeout", only(Http, Server), args(1), ignored = ONE_AT_A_TIME)]
    pub idle_timeout: Option<Vec<String>>,
    /// Obsolete.
    #[directive("http2_max_concurrent_pushes", only(Http, Server), args(1), ignored = ONE_AT_A_TIME)]
    pub max_concurrent_pushes: Option<Vec<String>>,
    /// How many requests a connection carries at once.
    #[directive("http2_max_concurrent_streams", only(Http, Server), args(1), ignored = ONE_AT_A_TIME)]
    pub max_concurrent_streams: Option<Vec<String>>,
    /// Obsolete.
    #[directive("http2_max_field_size", only(Http, Server), args(1), ignored = ONE_AT_A_TIME)]
    pub max_field_size: Option<Vec<String>>,
    /// Obsolete.
    #[directive("http2_max_header_size", only(Http, Server), args(1), ignored = ONE_AT_A_TIME)]
    pub max_header_size: Option<Vec<String>>,
    /// Obsolete.
    #[directive("http2_max_requests", only(Http, Server), args(1), ignored = ONE_AT_A_TIME)]
    pub max_requests: Option<Vec<String>>,
    /// The memory of a request.
    #[directive("http2_pool_size", only(Http, Server), args(1), ignored = ONE_AT_A_TIME)]
    pub pool_size: Option<Vec<String>>,
    /// Obsolete.
    #[directive("http2_push", args(1), ignored = ONE_AT_A_TIME)]
    pub push: Option<Vec<String>>,
    /// Obsolete.
    #[directive("http2_push_preload", default = "off", ignored = ONE_AT_A_TIME)]
    pub push_preload: bool,
    /// The size of the buffer for reading.
    #[directive("http2_recv_buffer_size", only(Http), args(1), ignored = ONE_AT_A_TIME)]
    pub recv_buffer_size: Option<Vec<String>>,
    /// Obsolete.
    #[directive("http2_recv_timeout", only(Http, Server), args(1), ignored = ONE_AT_A_TIME)]
    pub recv_timeout: Option<Vec<String>>,
    /// Obsolete.
    #[directive("http2_streams_index_size", only(Http, Server), args(1), ignored = ONE_AT_A_TIME)]
    pub streams_index_size: Option<Vec<String>>,
}
