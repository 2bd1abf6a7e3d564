//! `ssl_ecdh_curve`: the ways to agree on a key.

use crate::directive::{Arguments, Cx, Fault};
use crate::value::Value;

/// A way to agree on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Curve {
    /// X25519 with ML-KEM-768, which also holds against quantum computers.
    X25519Mlkem768,
    /// X25519
    X25519,
    /// NIST P-256
    P256,
    /// NIST P-384
    P384,
    /// P-256 with ML-KEM-768
    P256Mlkem768,
    /// ML-KEM-768 alone
    Mlkem768,
    /// ML-KEM-1024 alone
    Mlkem1024,
}

impl Curve {
    const DEFAULT: [Self; 4] = [Self::X25519Mlkem768, Self::X25519, Self::P256, Self::P384];

    fn of(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "x25519mlkem768" => Self::X25519Mlkem768,
            "x25519" => Self::X25519,
            "prime256v1" | "p-256" | "secp256r1" => Self::P256,
            "secp384r1" | "p-384" => Self::P384,
            "secp256r1mlkem768" => Self::P256Mlkem768,
            "mlkem768" => Self::Mlkem768,
            "mlkem1024" => Self::Mlkem1024,
            _ => return None,
        })
    }
}

/// What OpenSSL knows and we do not speak.
const UNSPOKEN: [&str; 18] = [
    "secp521r1",
    "p-521",
    "x448",
    "secp224r1",
    "p-224",
    "secp256k1",
    "prime192v1",
    "p-192",
    "secp384r1mlkem1024",
    "mlkem512",
    "brainpoolp256r1",
    "brainpoolp384r1",
    "brainpoolp512r1",
    "ffdhe2048",
    "ffdhe3072",
    "ffdhe4096",
    "ffdhe6144",
    "ffdhe8192",
];

/// The ways to agree on a key, the most wanted first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Curves(pub Vec<Curve>);

impl Value for Curves {
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        if word.text == "auto" {
            return Ok(Self(Curve::DEFAULT.to_vec()));
        }
        let hint = "spoken are: X25519MLKEM768, X25519, prime256v1, secp384r1, SecP256r1MLKEM768, MLKEM768, MLKEM1024";
        let mut curves = Vec::new();
        let mut unspoken = Vec::new();
        for name in word.text.split([':', '/']).filter(|name| !name.is_empty()) {
            // OpenSSL: `?` lets a name be unknown, `*` marks what a client should guess.
            let plain = name.trim_start_matches(['?', '*']);
            match Curve::of(plain) {
                Some(curve) if curves.contains(&curve) => {}
                Some(curve) => curves.push(curve),
                None if UNSPOKEN.contains(&plain.to_ascii_lowercase().as_str()) => {
                    unspoken.push(plain);
                }
                None if name.contains('?') => {}
                None => return Err(refused(&word.text).at(word.span).hint(hint)),
            }
        }
        if curves.is_empty() {
            return Err(refused(&word.text).at(word.span).hint(hint));
        }
        if !unspoken.is_empty() {
            let text = format!("not spoken, and left out: {}", unspoken.join(", "));
            cx.warn(text, word.span, hint);
        }
        Ok(Self(curves))
    }
}

fn refused(text: &str) -> Fault {
    Fault::sentence(format!("SSL_CTX_set1_curves_list(\"{text}\") failed"))
}
