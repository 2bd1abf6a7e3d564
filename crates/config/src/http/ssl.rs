//! `ssl_*`: connections that are encrypted.

pub mod certificate_cache;
pub mod check;
pub mod cipher;
pub mod conf_command;
pub mod curve;
pub mod ocsp;
pub mod protocol;
pub mod session;
pub mod verify;

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::source::Span;
use crate::value::Value;
use crate::value::pem::{Pem, PemFile};
use crate::value::size::Size;

use certificate_cache::CertificateCache;
use cipher::Ciphers;
use conf_command::ConfCommand;
use curve::Curves;
use ocsp::{Ocsp, OcspCache, Responder};
use protocol::Protocols;
use session::{Seconds, SessionCache};
use verify::VerifyClient;

/// Connections that are encrypted.
#[derive(Clone, Debug, Directives)]
pub struct Ssl {
    /// How many bytes are encrypted at once, at most 16k.
    #[directive("ssl_buffer_size", only(Http, Server), default = "16k")]
    pub buffer_size: Size,
    /// The certificate and its chain: a file, `data:` and the text itself, or variables that say
    /// either. Of several, the first that the client can take is shown, ECDSA before RSA.
    #[directive("ssl_certificate", only(Http, Server), repeat)]
    pub certificate: Vec<Pem>,
    /// How many certificates named by variables are remembered (`max=`), how long without use
    /// (`inactive=`), and how long until their files are looked at again (`valid=`); or `off`. Without
    /// it, they are remembered all the same, and their files looked at in every handshake.
    #[directive(
        "ssl_certificate_cache",
        only(Http, Server),
        parse = CertificateCache::parse,
        args(1, 3),
        differs = "a certificate and its key are one, each server remembers its own"
    )]
    pub certificate_cache: Option<CertificateCache>,
    /// Whether certificates are compressed.
    #[directive(
        "ssl_certificate_compression",
        only(Http, Server),
        default = "off",
        ignored = "certificates are sent as they are"
    )]
    pub certificate_compression: bool,
    /// The key of the certificate: PKCS#8, PKCS#1 or SEC1, encrypted or not.
    #[directive("ssl_certificate_key", only(Http, Server), repeat)]
    pub certificate_key: Vec<Pem>,
    /// The ciphers of TLS 1.2 that are allowed, in OpenSSL's words.
    #[directive(
        "ssl_ciphers",
        only(Http, Server),
        default = "HIGH:!aNULL:!MD5",
        differs = "of OpenSSL's ciphers, those with a fresh key and authenticated encryption are \
            spoken: ECDHE with AES-GCM or ChaCha20"
    )]
    pub ciphers: Ciphers,
    /// The authorities whose clients are trusted; clients are told their names.
    #[directive("ssl_client_certificate", only(Http, Server))]
    pub client_certificate: Option<PemFile>,
    /// A command for OpenSSL.
    #[directive(
        "ssl_conf_command",
        only(Http, Server),
        repeat,
        differs = "`Ciphersuites` acts; commands that say who is let in are refused, the others are read and have no effect"
    )]
    pub conf_command: Vec<ConfCommand>,
    /// The certificates that their authorities have taken back.
    #[directive("ssl_crl", only(Http, Server))]
    pub crl: Option<PemFile>,
    /// The parameters of an old key exchange.
    #[directive(
        "ssl_dhparam",
        only(Http, Server),
        args(1),
        ignored = "keys are agreed on over elliptic curves alone"
    )]
    pub dhparam: Option<PemFile>,
    /// Whether the first bytes of a resumed session are taken before the handshake is over.
    #[directive(
        "ssl_early_data",
        only(Http, Server),
        default = "off",
        differs = "a session serves once, and is remembered here even with session tickets on, so \
            that nobody can send such a request again"
    )]
    pub early_data: bool,
    /// The ways to agree on a key; `auto` is X25519MLKEM768, X25519, P-256 and P-384.
    #[directive("ssl_ecdh_curve", only(Http, Server), default = "auto")]
    pub ecdh_curve: Curves,
    /// The keys of encrypted client hellos.
    #[directive(
        "ssl_ech_file",
        only(Http, Server),
        args(1),
        repeat,
        ignored = "the name in a client hello is read in the clear"
    )]
    pub ech_file: Vec<Vec<String>>,
    /// Which of a client's certificates their authorities are asked about.
    #[directive("ssl_ocsp", only(Http, Server), default = "off")]
    pub ocsp: Ocsp,
    /// Where answers about clients' certificates are remembered.
    #[directive("ssl_ocsp_cache", only(Http, Server), default = "off")]
    pub ocsp_cache: OcspCache,
    /// Who is asked about clients' certificates, instead of whom they name.
    #[directive("ssl_ocsp_responder", only(Http, Server))]
    pub ocsp_responder: Option<Responder>,
    /// A file of passwords for encrypted keys, one a line; they are tried in turn.
    #[directive("ssl_password_file", only(Http, Server))]
    pub password_file: Option<PemFile>,
    /// Whether our order of ciphers holds, not the client's.
    #[directive("ssl_prefer_server_ciphers", only(Http, Server), default = "off")]
    pub prefer_server_ciphers: bool,
    /// The versions of TLS that are allowed: TLSv1.2, TLSv1.3. Older ones stay off.
    #[directive(
        "ssl_protocols",
        only(Http, Server),
        default = "TLSv1.2 TLSv1.3",
        joins,
        differs = "versions before TLS 1.2 stay off"
    )]
    pub protocols: Protocols,
    /// Refuses every handshake.
    #[directive("ssl_reject_handshake", only(Http, Server), default = "off")]
    pub reject_handshake: bool,
    /// Where sessions are remembered.
    #[directive("ssl_session_cache", only(Http, Server), default = "none")]
    pub session_cache: SessionCache,
    /// A file with a key of tickets, 48 or 80 bytes. The first one encrypts, all of them decrypt.
    #[directive(
        "ssl_session_ticket_key",
        only(Http, Server),
        repeat,
        differs = "tickets have a form of their own, which other servers do not read"
    )]
    pub session_ticket_key: Vec<PemFile>,
    /// Whether sessions are resumed by tickets.
    #[directive("ssl_session_tickets", only(Http, Server), default = "on")]
    pub session_tickets: bool,
    /// How long a session may be resumed.
    #[directive("ssl_session_timeout", only(Http, Server), default = "5m")]
    pub session_timeout: Seconds,
    /// Whether answers about our certificate are sent along.
    #[directive("ssl_stapling", only(Http, Server), default = "off")]
    pub stapling: bool,
    /// The answer about our certificate that is sent along, in DER.
    #[directive("ssl_stapling_file", only(Http, Server))]
    pub stapling_file: Option<PemFile>,
    /// Who is asked about our certificate, instead of whom it names.
    #[directive("ssl_stapling_responder", only(Http, Server))]
    pub stapling_responder: Option<Responder>,
    /// Whether answers about our certificate are checked.
    #[directive(
        "ssl_stapling_verify",
        only(Http, Server),
        default = "off",
        differs = "they always are: the issuer, or whom it has appointed, must have signed them"
    )]
    pub stapling_verify: bool,
    /// Further authorities that are trusted; clients are not told their names.
    #[directive("ssl_trusted_certificate", only(Http, Server))]
    pub trusted_certificate: Option<PemFile>,
    /// Whether clients must show a certificate.
    #[directive(
        "ssl_verify_client",
        only(Http, Server),
        default = "off",
        differs = "certificates of version 1, which have no extensions, are refused unless they are \
            themselves among those that are trusted, and so are certificates of authorities that \
            another one has signed"
    )]
    pub verify_client: VerifyClient,
    /// How many authorities may stand between a client and one that is trusted.
    #[directive("ssl_verify_depth", only(Http, Server), default = "1")]
    pub verify_depth: u32,
    /// Encrypts all of a server's connections, the old form of `listen … ssl`.
    #[directive("ssl", only(Http, Server), default = "off", parse = old_form, args(1))]
    pub old_form: bool,
}

/// nginx 1.25 took it away; configurations live longer.
fn old_form(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<bool, Fault> {
    let on = bool::parse(args, cx)?;
    if args.name.span != Span::NONE {
        let text =
            "the \"ssl\" directive is deprecated, use the \"listen ... ssl\" directive instead";
        cx.warn(text, args.name.span, "write `listen 443 ssl;` and take this line out");
    }
    Ok(on)
}
