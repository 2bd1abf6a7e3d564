//! `ssl_*`: connections that are encrypted.

use tidegate_config_derive::Directives;

/// Why nothing of it acts.
const NOT_ENCRYPTED: &str =
    "connections to clients are not encrypted yet: `listen … ssl` is not opened";

/// Connections that are encrypted.
#[derive(Clone, Debug, Directives)]
pub struct Ssl {
    /// The size of the buffer that is encrypted at once.
    #[directive("ssl_buffer_size", only(Http, Server), args(1), ignored = NOT_ENCRYPTED)]
    pub buffer_size: Option<Vec<String>>,
    /// The certificate and its chain.
    #[directive("ssl_certificate", only(Http, Server), args(1), repeat, ignored = NOT_ENCRYPTED)]
    pub certificate: Vec<Vec<String>>,
    /// How many certificates named by variables are remembered.
    #[directive("ssl_certificate_cache", only(Http, Server), args(1, 3), ignored = NOT_ENCRYPTED)]
    pub certificate_cache: Option<Vec<String>>,
    /// Whether certificates are compressed.
    #[directive("ssl_certificate_compression", only(Http, Server), default = "off", ignored = NOT_ENCRYPTED)]
    pub certificate_compression: bool,
    /// The key of the certificate.
    #[directive("ssl_certificate_key", only(Http, Server), args(1), repeat, ignored = NOT_ENCRYPTED)]
    pub certificate_key: Vec<Vec<String>>,
    /// The ciphers that are allowed.
    #[directive("ssl_ciphers", only(Http, Server), args(1), ignored = NOT_ENCRYPTED)]
    pub ciphers: Option<Vec<String>>,
    /// The authorities whose clients are trusted.
    #[directive("ssl_client_certificate", only(Http, Server), args(1), ignored = NOT_ENCRYPTED)]
    pub client_certificate: Option<Vec<String>>,
    /// A command for the library that encrypts.
    #[directive("ssl_conf_command", only(Http, Server), args(2), repeat, ignored = NOT_ENCRYPTED)]
    pub conf_command: Vec<Vec<String>>,
    /// The certificates that were taken back.
    #[directive("ssl_crl", only(Http, Server), args(1), ignored = NOT_ENCRYPTED)]
    pub crl: Option<Vec<String>>,
    /// The parameters of an old key exchange.
    #[directive("ssl_dhparam", only(Http, Server), args(1), ignored = NOT_ENCRYPTED)]
    pub dhparam: Option<Vec<String>>,
    /// Whether the first bytes of a resumed session are taken.
    #[directive("ssl_early_data", only(Http, Server), default = "off", ignored = NOT_ENCRYPTED)]
    pub early_data: bool,
    /// The curves of the key exchange.
    #[directive("ssl_ecdh_curve", only(Http, Server), args(1), ignored = NOT_ENCRYPTED)]
    pub ecdh_curve: Option<Vec<String>>,
    /// The keys of encrypted client hellos.
    #[directive("ssl_ech_file", only(Http, Server), args(1), ignored = NOT_ENCRYPTED)]
    pub ech_file: Option<Vec<String>>,
    /// Whether clients' certificates are asked about.
    #[directive("ssl_ocsp", only(Http, Server), args(1), ignored = NOT_ENCRYPTED)]
    pub ocsp: Option<Vec<String>>,
    /// Where answers about clients' certificates are remembered.
    #[directive("ssl_ocsp_cache", only(Http, Server), args(1), ignored = NOT_ENCRYPTED)]
    pub ocsp_cache: Option<Vec<String>>,
    /// Who is asked about clients' certificates.
    #[directive("ssl_ocsp_responder", only(Http, Server), args(1), ignored = NOT_ENCRYPTED)]
    pub ocsp_responder: Option<Vec<String>>,
    /// The passwords of keys.
    #[directive("ssl_password_file", only(Http, Server), args(1), ignored = NOT_ENCRYPTED)]
    pub password_file: Option<Vec<String>>,
    /// Whether our order of ciphers holds.
    #[directive("ssl_prefer_server_ciphers", only(Http, Server), default = "off", ignored = NOT_ENCRYPTED)]
    pub prefer_server_ciphers: bool,
    /// The protocols that are allowed.
    #[directive("ssl_protocols", only(Http, Server), args(1, ..), repeat, ignored = NOT_ENCRYPTED)]
    pub protocols: Vec<Vec<String>>,
    /// Refuses every handshake.
    #[directive("ssl_reject_handshake", only(Http, Server), default = "off", ignored = NOT_ENCRYPTED)]
    pub reject_handshake: bool,
    /// Where sessions are remembered.
    #[directive("ssl_session_cache", only(Http, Server), args(1, 2), ignored = NOT_ENCRYPTED)]
    pub session_cache: Option<Vec<String>>,
    /// The keys of tickets.
    #[directive("ssl_session_ticket_key", only(Http, Server), args(1), repeat, ignored = NOT_ENCRYPTED)]
    pub session_ticket_key: Vec<Vec<String>>,
    /// Whether sessions are resumed by tickets.
    #[directive("ssl_session_tickets", only(Http, Server), default = "on", ignored = NOT_ENCRYPTED)]
    pub session_tickets: bool,
    /// How long a session may be resumed.
    #[directive("ssl_session_timeout", only(Http, Server), args(1), ignored = NOT_ENCRYPTED)]
    pub session_timeout: Option<Vec<String>>,
    /// Whether answers about our certificate are sent along.
    #[directive("ssl_stapling", only(Http, Server), default = "off", ignored = NOT_ENCRYPTED)]
    pub stapling: bool,
    /// The answer about our certificate that is sent along.
    #[directive("ssl_stapling_file", only(Http, Server), args(1), ignored = NOT_ENCRYPTED)]
    pub stapling_file: Option<Vec<String>>,
    /// Who is asked about our certificate.
    #[directive("ssl_stapling_responder", only(Http, Server), args(1), ignored = NOT_ENCRYPTED)]
    pub stapling_responder: Option<Vec<String>>,
    /// Whether answers about our certificate are checked.
    #[directive("ssl_stapling_verify", only(Http, Server), default = "off", ignored = NOT_ENCRYPTED)]
    pub stapling_verify: bool,
    /// Further authorities that are trusted.
    #[directive("ssl_trusted_certificate", only(Http, Server), args(1), ignored = NOT_ENCRYPTED)]
    pub trusted_certificate: Option<Vec<String>>,
    /// Whether clients must show a certificate.
    #[directive("ssl_verify_client", only(Http, Server), args(1), ignored = NOT_ENCRYPTED)]
    pub verify_client: Option<Vec<String>>,
    /// How long a client's chain may be.
    #[directive("ssl_verify_depth", only(Http, Server), args(1), ignored = NOT_ENCRYPTED)]
    pub verify_depth: Option<Vec<String>>,
    /// Encrypts all of a server's connections, the old form.
    #[directive(
        "ssl",
        only(Http, Server),
        default = "off",
        ignored = "nginx 1.25 took it away; write `listen 443 ssl`"
    )]
    pub old_form: bool,
}
