//! `proxy_ssl_*` and its kin: connections to upstreams that are encrypted.

use tidegate_config_derive::Directives;

use crate::http::ssl::certificate_cache::CertificateCache;
use crate::http::ssl::cipher::Ciphers;
use crate::http::ssl::conf_command::ConfCommand;
use crate::http::ssl::protocol::Protocols;
use crate::value::pem::{Pem, PemFile};
use crate::value::template::Template;

/// TLS to an upstream.
#[derive(Clone, Debug, Directives)]
pub struct ForwardSsl {
    /// Whether the upstream's name is told in the handshake.
    #[directive("{}_ssl_server_name", default = "off")]
    pub server_name: bool,
    /// Whether the upstream's certificate is checked.
    #[directive("{}_ssl_verify", default = "off")]
    pub verify: bool,
    /// How many authorities may stand between the upstream and one that is trusted.
    #[directive("{}_ssl_verify_depth", default = "1")]
    pub verify_depth: u32,
    /// The authorities that are trusted.
    #[directive("{}_ssl_trusted_certificate")]
    pub trusted_certificate: Option<PemFile>,
    /// The name the certificate must be for, which is told in the handshake; that of the upstream
    /// where nothing is said.
    #[directive("{}_ssl_name")]
    pub name: Option<Template>,
    /// The versions of TLS that are allowed. Older ones than TLSv1.2 stay off.
    #[directive(
        "{}_ssl_protocols",
        default = "TLSv1.2 TLSv1.3",
        joins,
        differs = "versions before TLS 1.2 stay off"
    )]
    pub protocols: Protocols,
    /// The ciphers of TLS 1.2 that are allowed, in OpenSSL's words.
    #[directive(
        "{}_ssl_ciphers",
        default = "DEFAULT",
        differs = "of OpenSSL's ciphers, those with a fresh key and authenticated encryption are \
            spoken: ECDHE with AES-GCM or ChaCha20"
    )]
    pub ciphers: Ciphers,
    /// Our certificate: a file, `data:` and the text itself, or variables that say either; none is
    /// shown where they say nothing.
    #[directive("{}_ssl_certificate")]
    pub certificate: Option<Pem>,
    /// The key of our certificate.
    #[directive("{}_ssl_certificate_key")]
    pub certificate_key: Option<Pem>,
    /// Whether sessions are resumed.
    #[directive("{}_ssl_session_reuse", default = "on")]
    pub session_reuse: bool,
    /// The certificates that their authorities have taken back.
    #[directive("{}_ssl_crl")]
    pub crl: Option<PemFile>,
    /// How many certificates named by variables are remembered (`max=`), how long without use
    /// (`inactive=`), and how long until their files are looked at again (`valid=`); or `off`. Without
    /// it, they are remembered all the same, and their files looked at in every request.
    #[directive(
        "{}_ssl_certificate_cache",
        parse = CertificateCache::parse,
        args(1, 3),
        differs = "a certificate and its key are one, each place where something is said of TLS remembers its own"
    )]
    pub certificate_cache: Option<CertificateCache>,
    /// A command for OpenSSL.
    #[directive(
        "{}_ssl_conf_command",
        repeat,
        differs = "`Ciphersuites` acts; commands that say who is trusted are refused, the others are read and have no effect"
    )]
    pub conf_command: Vec<ConfCommand>,
    /// A file of passwords for encrypted keys, one a line; they are tried in turn.
    #[directive("{}_ssl_password_file")]
    pub password_file: Option<PemFile>,
}
