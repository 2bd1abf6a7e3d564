//! What a handshake has come to, as requests see it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use aws_lc_rs::rand;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ClientHello;
use rustls::{
    CipherSuite, HandshakeKind, NamedGroup, ProtocolVersion, ServerConnection, SignatureScheme,
};

use super::signed::Signed;
use super::trust::{Distrust, Purpose, Trust};

/// What a handshake with a client has come to.
#[derive(Debug, Default)]
pub struct Session {
    /// The version of TLS.
    pub protocol: Option<ProtocolVersion>,
    /// How it is encrypted.
    pub cipher: Option<CipherSuite>,
    /// How the key was agreed on.
    pub curve: Option<NamedGroup>,
    /// The name the client asked for, in lower case; `None` where it asked for none.
    pub server_name: Option<Box<str>>,
    /// Whether a server has that name, so that its certificates were asked for.
    pub is_known_name: bool,
    /// The protocol that both have agreed on by ALPN: `h2`, `http/1.1`.
    pub alpn: Option<Box<[u8]>>,
    /// Whether an earlier session was taken up again.
    pub resumed: bool,
    /// What the client could have encrypted by.
    pub offered_ciphers: Box<[CipherSuite]>,
    /// How the client could have agreed on a key.
    pub offered_curves: Box<[NamedGroup]>,
    /// By what the client takes signatures.
    pub offered_schemes: Box<[SignatureScheme]>,
    /// By what the handshake was signed; by nothing where a session was taken up again.
    pub signed: Signed,
    /// The session's number, where it was told or asked for.
    pub number: OnceLock<Box<[u8]>>,
    /// The client's certificate and its chain; empty where it sent none.
    pub peer: Vec<CertificateDer<'static>>,
    /// Who has judged the client's certificate.
    pub judge: Option<Arc<Trust>>,
    /// Why the client's certificate is not trusted.
    pub distrust: Option<Distrust>,
    /// What is wrong with the client's certificate by the word of its authority, in nginx's words.
    pub revoked: Option<&'static str>,
    /// Whether requests come before the client has finished the handshake.
    pub early: AtomicBool,
}

impl Session {
    /// What a client offers before the handshake has come to anything.
    pub fn offered(hello: &ClientHello<'_>) -> Self {
        Self {
            server_name: hello.server_name().map(|name| name.to_ascii_lowercase().into()),
            offered_ciphers: hello.cipher_suites().into(),
            offered_curves: hello.named_groups().unwrap_or_default().into(),
            offered_schemes: hello.signature_schemes().into(),
            ..Self::default()
        }
    }

    /// Takes note of what the handshake has come to: by what it was signed, and which number the
    /// session has in its `ServerHello`.
    pub fn settle(&mut self, connection: &ServerConnection, signed: Signed, number: Box<[u8]>) {
        self.protocol = connection.protocol_version();
        self.cipher = connection.negotiated_cipher_suite().map(|suite| suite.suite());
        self.curve =
            connection.negotiated_key_exchange_group().map(rustls::crypto::SupportedKxGroup::name);
        self.alpn = connection.alpn_protocol().map(Into::into);
        self.resumed = connection.handshake_kind() == Some(HandshakeKind::Resumed);
        self.peer = connection.peer_certificates().map(<[_]>::to_vec).unwrap_or_default();
        self.early.store(connection.is_handshaking(), Ordering::Relaxed);
        // A session of TLS 1.2 that is taken up again has the key of before.
        self.curve = self.curve.or(signed.curve.filter(|_| self.resumed));
        if !self.resumed {
            self.signed = signed;
        }
        // What TLS 1.3 says there is the client's own (RFC 8446, section 4.1.3).
        if self.protocol == Some(ProtocolVersion::TLSv1_2) {
            self.number = number.into();
        }
    }

    /// The session's number; empty where it has none. In TLS 1.3 sessions have none on the wire, and
    /// OpenSSL draws one for each handshake: so do we, for who asks.
    pub fn number(&self) -> &[u8] {
        self.number.get_or_init(|| {
            let mut drawn = [0; 32];
            let good = rand::fill(&mut drawn).is_ok();
            drawn.get(..if good { 32 } else { 0 }).unwrap_or_default().into()
        })
    }

    /// What somebody thinks of the client's certificate; nothing where there is none.
    pub fn judged_by(&self, trust: &Trust) -> Option<Distrust> {
        if self.peer.is_empty() {
            return None;
        }
        trust.judge(&self.peer, Purpose::Client, UnixTime::now()).err()
    }
}
