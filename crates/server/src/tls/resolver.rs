//! Which of a server's certificates a client can take.

use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, SignatureAlgorithm};

/// The certificates of one server, of different kinds.
#[derive(Debug)]
pub(super) struct Certificates {
    all: Vec<Arc<CertifiedKey>>,
}

impl Certificates {
    /// Those that cost both sides less come first: others before RSA.
    pub(super) fn new(mut all: Vec<Arc<CertifiedKey>>) -> Self {
        all.sort_by_key(|certified| is_rsa(certified));
        Self { all }
    }
}

fn is_rsa(certified: &CertifiedKey) -> bool {
    certified.key.algorithm() == SignatureAlgorithm::RSA
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let fits = |certified: &&Arc<CertifiedKey>| {
            certified.key.choose_scheme(hello.signature_schemes()).is_some()
                && suits(hello.cipher_suites(), is_rsa(certified))
        };
        self.all.iter().find(fits).or_else(|| self.all.first()).cloned()
    }
}

/// Whether a client has a cipher for such a key: those of TLS 1.3 are for any.
fn suits(ciphers: &[CipherSuite], rsa: bool) -> bool {
    ciphers.iter().any(|suite| match u16::from(*suite) {
        0x1301..=0x1305 => true,
        0xc02f | 0xc030 | 0xcca8 => rsa,
        0xc02b | 0xc02c | 0xcca9 => !rsa,
        _ => false,
    })
}
