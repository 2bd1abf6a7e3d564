//! `proxy_ssl_*` and its kin: connections to upstreams that are encrypted.

use tidegate_config_derive::Directives;

/// Why nothing of it acts.
const NOT_ENCRYPTED: &str = "connections to upstreams are not encrypted yet";

/// TLS to an upstream.
#[derive(Clone, Debug, Directives)]
pub struct ForwardSsl {
    /// Whether the upstream's name is told in the handshake.
    #[directive("{}_ssl_server_name", default = "off", ignored = NOT_ENCRYPTED)]
    pub server_name: bool,
    /// Whether the upstream's certificate is checked.
    #[directive("{}_ssl_verify", default = "off", ignored = NOT_ENCRYPTED)]
    pub verify: bool,
    /// How long the upstream's chain may be.
    #[directive("{}_ssl_verify_depth", default = "1", ignored = NOT_ENCRYPTED)]
    pub verify_depth: u32,
    /// The authorities that are trusted.
    #[directive("{}_ssl_trusted_certificate", args(1), ignored = NOT_ENCRYPTED)]
    pub trusted_certificate: Option<Vec<String>>,
    /// The name the certificate must be for.
    #[directive("{}_ssl_name", args(1), ignored = NOT_ENCRYPTED)]
    pub name: Option<Vec<String>>,
    /// The protocols that are allowed.
    #[directive("{}_ssl_protocols", args(1, ..), ignored = NOT_ENCRYPTED)]
    pub protocols: Option<Vec<String>>,
    /// The ciphers that are allowed.
    #[directive("{}_ssl_ciphers", args(1), ignored = NOT_ENCRYPTED)]
    pub ciphers: Option<Vec<String>>,
    /// Our certificate.
    #[directive("{}_ssl_certificate", args(1), ignored = NOT_ENCRYPTED)]
    pub certificate: Option<Vec<String>>,
    /// The key of our certificate.
    #[directive("{}_ssl_certificate_key", args(1), ignored = NOT_ENCRYPTED)]
    pub certificate_key: Option<Vec<String>>,
    /// Whether sessions are resumed.
    #[directive("{}_ssl_session_reuse", default = "on", ignored = NOT_ENCRYPTED)]
    pub session_reuse: bool,
    /// The certificates that were taken back.
    #[directive("{}_ssl_crl", args(1), ignored = NOT_ENCRYPTED)]
    pub crl: Option<Vec<String>>,
    /// How many certificates named by variables are remembered.
    #[directive("{}_ssl_certificate_cache", args(1, 3), ignored = NOT_ENCRYPTED)]
    pub certificate_cache: Option<Vec<String>>,
    /// A command for the library that encrypts.
    #[directive("{}_ssl_conf_command", args(2), repeat, ignored = NOT_ENCRYPTED)]
    pub conf_command: Vec<Vec<String>>,
    /// The passwords of keys.
    #[directive("{}_ssl_password_file", args(1), ignored = NOT_ENCRYPTED)]
    pub password_file: Option<Vec<String>>,
}
