//! `ssl_*`, `http2`: connections that are encrypted, or carry several requests at once.

use tidegate_config_derive::Directives;

/// Connections that are encrypted.
#[derive(Clone, Debug, Directives)]
pub struct Ssl {
    /// The size of the buffer that is encrypted at once.
    #[directive(
        "ssl_buffer_size",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub buffer_size: Vec<Vec<String>>,
    /// The certificate and its chain.
    #[directive(
        "ssl_certificate",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub certificate: Vec<Vec<String>>,
    /// How many certificates named by variables are remembered.
    #[directive(
        "ssl_certificate_cache",
        only(Http, Server),
        args(1, 3),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub certificate_cache: Vec<Vec<String>>,
    /// Whether certificates are compressed.
    #[directive(
        "ssl_certificate_compression",
        only(Http, Server),
        default = "off",
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub certificate_compression: bool,
    /// The key of the certificate.
    #[directive(
        "ssl_certificate_key",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub certificate_key: Vec<Vec<String>>,
    /// The ciphers that are allowed.
    #[directive(
        "ssl_ciphers",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub ciphers: Vec<Vec<String>>,
    /// The authorities whose clients are trusted.
    #[directive(
        "ssl_client_certificate",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub client_certificate: Vec<Vec<String>>,
    /// A command for the library that encrypts.
    #[directive(
        "ssl_conf_command",
        only(Http, Server),
        args(2),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub conf_command: Vec<Vec<String>>,
    /// The certificates that were taken back.
    #[directive(
        "ssl_crl",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub crl: Vec<Vec<String>>,
    /// The parameters of an old key exchange.
    #[directive(
        "ssl_dhparam",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub dhparam: Vec<Vec<String>>,
    /// Whether the first bytes of a resumed session are taken.
    #[directive(
        "ssl_early_data",
        only(Http, Server),
        default = "off",
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub early_data: bool,
    /// The curves of the key exchange.
    #[directive(
        "ssl_ecdh_curve",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub ecdh_curve: Vec<Vec<String>>,
    /// The keys of encrypted client hellos.
    #[directive(
        "ssl_ech_file",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub ech_file: Vec<Vec<String>>,
    /// Whether clients' certificates are asked about.
    #[directive(
        "ssl_ocsp",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub ocsp: Vec<Vec<String>>,
    /// Where answers about clients' certificates are remembered.
    #[directive(
        "ssl_ocsp_cache",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub ocsp_cache: Vec<Vec<String>>,
    /// Who is asked about clients' certificates.
    #[directive(
        "ssl_ocsp_responder",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub ocsp_responder: Vec<Vec<String>>,
    /// The passwords of keys.
    #[directive(
        "ssl_password_file",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub password_file: Vec<Vec<String>>,
    /// Whether our order of ciphers holds.
    #[directive(
        "ssl_prefer_server_ciphers",
        only(Http, Server),
        default = "off",
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub prefer_server_ciphers: bool,
    /// The protocols that are allowed.
    #[directive("ssl_protocols", only(Http, Server), args(1, ..), repeat, ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened")]
    pub protocols: Vec<Vec<String>>,
    /// Refuses every handshake.
    #[directive(
        "ssl_reject_handshake",
        only(Http, Server),
        default = "off",
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub reject_handshake: bool,
    /// Where sessions are remembered.
    #[directive(
        "ssl_session_cache",
        only(Http, Server),
        args(1, 2),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub session_cache: Vec<Vec<String>>,
    /// The keys of tickets.
    #[directive(
        "ssl_session_ticket_key",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub session_ticket_key: Vec<Vec<String>>,
    /// Whether sessions are resumed by tickets.
    #[directive(
        "ssl_session_tickets",
        only(Http, Server),
        default = "off",
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub session_tickets: bool,
    /// How long a session may be resumed.
    #[directive(
        "ssl_session_timeout",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub session_timeout: Vec<Vec<String>>,
    /// Whether answers about our certificate are sent along.
    #[directive(
        "ssl_stapling",
        only(Http, Server),
        default = "off",
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub stapling: bool,
    /// The answer about our certificate that is sent along.
    #[directive(
        "ssl_stapling_file",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub stapling_file: Vec<Vec<String>>,
    /// Who is asked about our certificate.
    #[directive(
        "ssl_stapling_responder",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub stapling_responder: Vec<Vec<String>>,
    /// Whether answers about our certificate are checked.
    #[directive(
        "ssl_stapling_verify",
        only(Http, Server),
        default = "off",
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub stapling_verify: bool,
    /// Further authorities that are trusted.
    #[directive(
        "ssl_trusted_certificate",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub trusted_certificate: Vec<Vec<String>>,
    /// Whether clients must show a certificate.
    #[directive(
        "ssl_verify_client",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub verify_client: Vec<Vec<String>>,
    /// How long a client's chain may be.
    #[directive(
        "ssl_verify_depth",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections to clients are not encrypted yet: `listen … ssl` is not opened"
    )]
    pub verify_depth: Vec<Vec<String>>,
    /// Encrypts all of a server's connections, the old form.
    #[directive(
        "ssl",
        only(Http, Server),
        default = "off",
        ignored = "nginx 1.25 took it away; write `listen 443 ssl`"
    )]
    pub old_form: bool,
}

/// Connections that carry several requests at once.
#[derive(Clone, Debug, Directives)]
pub struct Http2 {
    /// Lets connections carry several requests at once.
    #[directive(
        "http2",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections carry one request at a time"
    )]
    pub enabled: Vec<Vec<String>>,
    /// How much of a body may come unasked.
    #[directive(
        "http2_body_preread_size",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections carry one request at a time"
    )]
    pub body_preread_size: Vec<Vec<String>>,
    /// The largest piece of a body.
    #[directive(
        "http2_chunk_size",
        args(1),
        repeat,
        ignored = "connections carry one request at a time"
    )]
    pub chunk_size: Vec<Vec<String>>,
    /// Obsolete.
    #[directive(
        "http2_idle_timeout",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections carry one request at a time"
    )]
    pub idle_timeout: Vec<Vec<String>>,
    /// Obsolete.
    #[directive(
        "http2_max_concurrent_pushes",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections carry one request at a time"
    )]
    pub max_concurrent_pushes: Vec<Vec<String>>,
    /// How many requests a connection carries at once.
    #[directive(
        "http2_max_concurrent_streams",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections carry one request at a time"
    )]
    pub max_concurrent_streams: Vec<Vec<String>>,
    /// Obsolete.
    #[directive(
        "http2_max_field_size",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections carry one request at a time"
    )]
    pub max_field_size: Vec<Vec<String>>,
    /// Obsolete.
    #[directive(
        "http2_max_header_size",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections carry one request at a time"
    )]
    pub max_header_size: Vec<Vec<String>>,
    /// Obsolete.
    #[directive(
        "http2_max_requests",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections carry one request at a time"
    )]
    pub max_requests: Vec<Vec<String>>,
    /// The memory of a request.
    #[directive(
        "http2_pool_size",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections carry one request at a time"
    )]
    pub pool_size: Vec<Vec<String>>,
    /// Obsolete.
    #[directive(
        "http2_push",
        args(1),
        repeat,
        ignored = "connections carry one request at a time"
    )]
    pub push: Vec<Vec<String>>,
    /// Obsolete.
    #[directive(
        "http2_push_preload",
        args(1),
        repeat,
        ignored = "connections carry one request at a time"
    )]
    pub push_preload: Vec<Vec<String>>,
    /// The size of the buffer for reading.
    #[directive(
        "http2_recv_buffer_size",
        only(Http),
        args(1),
        repeat,
        ignored = "connections carry one request at a time"
    )]
    pub recv_buffer_size: Vec<Vec<String>>,
    /// Obsolete.
    #[directive(
        "http2_recv_timeout",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections carry one request at a time"
    )]
    pub recv_timeout: Vec<Vec<String>>,
    /// Obsolete.
    #[directive(
        "http2_streams_index_size",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "connections carry one request at a time"
    )]
    pub streams_index_size: Vec<Vec<String>>,
}
