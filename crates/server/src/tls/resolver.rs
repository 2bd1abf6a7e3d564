//! Which of a server's certificates a client can take.

use std::rc::Rc;
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, SignatureAlgorithm};

use super::staple::Staple;
use super::turns::Weight;
use crate::runtime::Generation;

/// The certificates of one server, of different kinds.
#[derive(Debug)]
pub(super) struct Certificates {
    all: Vec<Shown>,
}

/// A certificate, and what its authority says of it.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) certified: Arc<CertifiedKey>,
    pub(super) staple: Option<Arc<Staple>>,
}

impl Shown {
    fn now(&self) -> Arc<CertifiedKey> {
        self.staple
            .as_ref()
            .map_or_else(|| Arc::clone(&self.certified), |staple| staple.certified())
    }
}

impl Certificates {
    /// Those that cost both sides less come first: others before RSA.
    pub(super) fn new(mut all: Vec<Shown>) -> Self {
        all.sort_by_key(|shown| is_rsa(&shown.certified));
        Self { all }
    }

    /// What a signature by one of them costs.
    pub(super) fn weight(&self) -> Weight {
        Weight::of(self.all.iter().map(|shown| &*shown.certified))
    }

    /// Has authorities asked, where it is time.
    pub(super) fn refresh(&self, generation: &Rc<Generation>) {
        for staple in self.all.iter().filter_map(|shown| shown.staple.as_ref()) {
            staple.refresh(generation);
        }
    }
}

fn is_rsa(certified: &CertifiedKey) -> bool {
    certified.key.algorithm() == SignatureAlgorithm::RSA
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let fits = |shown: &&Shown| {
            let certified = &shown.certified;
            certified.key.choose_scheme(hello.signature_schemes()).is_some()
                && suits(hello.cipher_suites(), is_rsa(certified))
        };
        self.all.iter().find(fits).or_else(|| self.all.first()).map(Shown::now)
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
