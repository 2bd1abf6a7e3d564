//! What the configuration says of ciphers, curves and versions, in rustls's terms.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::{self, cipher_suite, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::version::{TLS12, TLS13};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};
use tidegate_config::http::ssl::cipher::Cipher;
use tidegate_config::http::ssl::conf_command::{ConfCommand, Suite};
use tidegate_config::http::ssl::curve::Curve;
use tidegate_config::http::ssl::protocol::Protocols;

use super::signed::Agreeing;

/// Ciphers and curves, in the order in which they are wanted.
pub fn provider(
    ciphers: &[Cipher],
    commands: &[ConfCommand],
    curves: &[Curve],
) -> Arc<CryptoProvider> {
    let usual = [Suite::Aes256, Suite::Chacha20, Suite::Aes128];
    let said = commands.iter().rev().find_map(|command| match command {
        ConfCommand::Ciphersuites(suites) => Some(suites.as_slice()),
        ConfCommand::Other => None,
    });
    let suites = said.unwrap_or(&usual).iter().map(|suite| tls13(*suite));
    Arc::new(CryptoProvider {
        cipher_suites: suites.chain(ciphers.iter().map(|cipher| tls12(*cipher))).collect(),
        kx_groups: curves.iter().map(|curve| group(*curve)).collect(),
        ..aws_lc_rs::default_provider()
    })
}

/// The versions that are allowed.
pub fn versions(protocols: Protocols) -> Vec<&'static SupportedProtocolVersion> {
    let all = [(protocols.tls13, &TLS13), (protocols.tls12, &TLS12)];
    all.into_iter().filter(|(on, _)| *on).map(|(_, version)| version).collect()
}

fn tls13(suite: Suite) -> SupportedCipherSuite {
    match suite {
        Suite::Aes256 => cipher_suite::TLS13_AES_256_GCM_SHA384,
        Suite::Chacha20 => cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        Suite::Aes128 => cipher_suite::TLS13_AES_128_GCM_SHA256,
    }
}

fn tls12(cipher: Cipher) -> SupportedCipherSuite {
    match cipher {
        Cipher::EcdsaAes256 => cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        Cipher::RsaAes256 => cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        Cipher::EcdsaChacha20 => cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        Cipher::RsaChacha20 => cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        Cipher::EcdsaAes128 => cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        Cipher::RsaAes128 => cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    }
}

static X25519_MLKEM768: Agreeing = Agreeing(kx_group::X25519MLKEM768);
static X25519: Agreeing = Agreeing(kx_group::X25519);
static P256: Agreeing = Agreeing(kx_group::SECP256R1);
static P384: Agreeing = Agreeing(kx_group::SECP384R1);
static P256_MLKEM768: Agreeing = Agreeing(kx_group::SECP256R1MLKEM768);
static MLKEM768: Agreeing = Agreeing(kx_group::MLKEM768);
static MLKEM1024: Agreeing = Agreeing(kx_group::MLKEM1024);

fn group(curve: Curve) -> &'static dyn SupportedKxGroup {
    match curve {
        Curve::X25519Mlkem768 => &X25519_MLKEM768,
        Curve::X25519 => &X25519,
        Curve::P256 => &P256,
        Curve::P384 => &P384,
        Curve::P256Mlkem768 => &P256_MLKEM768,
        Curve::Mlkem768 => &MLKEM768,
        Curve::Mlkem1024 => &MLKEM1024,
    }
}
