//! `ssl_ciphers`: OpenSSL's language for lists of ciphers, over what is spoken.

use crate::directive::{Arguments, Cx, Fault};
use crate::value::Value;

/// A cipher of TLS 1.2 that is spoken. All of them agree on a fresh key and authenticate what they
/// encrypt; those of TLS 1.3 are always on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cipher {
    /// ECDHE-ECDSA-AES256-GCM-SHA384
    EcdsaAes256,
    /// ECDHE-RSA-AES256-GCM-SHA384
    RsaAes256,
    /// ECDHE-ECDSA-CHACHA20-POLY1305
    EcdsaChacha20,
    /// ECDHE-RSA-CHACHA20-POLY1305
    RsaChacha20,
    /// ECDHE-ECDSA-AES128-GCM-SHA256
    EcdsaAes128,
    /// ECDHE-RSA-AES128-GCM-SHA256
    RsaAes128,
}

impl Cipher {
    /// All of them, in OpenSSL's order.
    pub const ALL: [Self; 6] = [
        Self::EcdsaAes256,
        Self::RsaAes256,
        Self::EcdsaChacha20,
        Self::RsaChacha20,
        Self::EcdsaAes128,
        Self::RsaAes128,
    ];

    /// OpenSSL's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::EcdsaAes256 => "ECDHE-ECDSA-AES256-GCM-SHA384",
            Self::RsaAes256 => "ECDHE-RSA-AES256-GCM-SHA384",
            Self::EcdsaChacha20 => "ECDHE-ECDSA-CHACHA20-POLY1305",
            Self::RsaChacha20 => "ECDHE-RSA-CHACHA20-POLY1305",
            Self::EcdsaAes128 => "ECDHE-ECDSA-AES128-GCM-SHA256",
            Self::RsaAes128 => "ECDHE-RSA-AES128-GCM-SHA256",
        }
    }

    fn is_ecdsa(self) -> bool {
        matches!(self, Self::EcdsaAes256 | Self::EcdsaChacha20 | Self::EcdsaAes128)
    }

    fn is_aes128(self) -> bool {
        matches!(self, Self::EcdsaAes128 | Self::RsaAes128)
    }

    fn is_aes256(self) -> bool {
        matches!(self, Self::EcdsaAes256 | Self::RsaAes256)
    }

    /// Whether a word of OpenSSL's language means it.
    fn is(self, word: &str) -> bool {
        match word {
            "ALL"
            | "COMPLEMENTOFDEFAULT"
            | "DEFAULT"
            | "HIGH"
            | "TLSv1.2"
            | "kECDHE"
            | "kEECDH"
            | "ECDHE"
            | "EECDH"
            | "ECDH" => word != "COMPLEMENTOFDEFAULT",
            "aECDSA" | "ECDSA" => self.is_ecdsa(),
            "aRSA" => !self.is_ecdsa(),
            "AES" | "AESGCM" | "FIPS" => self.is_aes128() || self.is_aes256(),
            "AES128" => self.is_aes128(),
            "AES256" => self.is_aes256(),
            "CHACHA20" => !self.is_aes128() && !self.is_aes256(),
            "SUITEB128" => self.is_ecdsa() && (self.is_aes128() || self.is_aes256()),
            "SUITEB128ONLY" => self == Self::EcdsaAes128,
            "SUITEB192" => self == Self::EcdsaAes256,
            name => name == self.name(),
        }
    }
}

/// The ciphers that are allowed, the most wanted first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ciphers {
    /// Those that are spoken.
    pub list: Vec<Cipher>,
    /// Whether the text names one that OpenSSL and we speak by its own name, or means many.
    pub text: String,
}

impl Value for Ciphers {
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        let Evaluated { list, unspoken } = evaluate(&word.text);
        let spoken = Cipher::ALL.map(Cipher::name).join(":");
        if list.is_empty() {
            let text = &word.text;
            return Err(Fault::sentence(format!(
                "SSL_CTX_set_cipher_list(\"{text}\") failed (SSL: error:0A0000B9:SSL routines::no cipher match)"
            ))
            .at(word.span)
            .hint(format!("spoken are: {spoken}")));
        }
        if !unspoken.is_empty() {
            let text = format!("not spoken, and left out: {}", unspoken.join(", "));
            cx.warn(text, word.span, format!("spoken are: {spoken}"));
        }
        Ok(Self { list, text: word.text.clone() })
    }
}

struct Evaluated {
    list: Vec<Cipher>,
    /// Words that ask for ciphers of which none is spoken.
    unspoken: Vec<String>,
}

/// `openssl ciphers`: words are added, `-` takes away, `!` for good, `+` puts last.
fn evaluate(text: &str) -> Evaluated {
    let mut list: Vec<Cipher> = Vec::new();
    let mut killed: Vec<Cipher> = Vec::new();
    let mut unspoken = Vec::new();
    for item in text.split([':', ',', ' ', ';']).filter(|item| !item.is_empty()) {
        if item == "@STRENGTH" {
            list.sort_by_key(|cipher| cipher.is_aes128());
            continue;
        }
        // `@SECLEVEL` asks for no more than what is spoken.
        if item.starts_with('@') {
            continue;
        }
        let (sign, words) = match item.split_at_checked(1) {
            Some((sign @ ("!" | "-" | "+"), words)) => (sign, words),
            _ => ("", item),
        };
        let meant = |cipher: &Cipher| words.split('+').all(|word| cipher.is(word));
        let all: Vec<Cipher> = Cipher::ALL.into_iter().filter(meant).collect();
        match sign {
            "!" | "-" => {
                list.retain(|cipher| !all.contains(cipher));
                if sign == "!" {
                    killed.extend(all);
                }
            }
            "+" => {
                let (moved, stay) = list.iter().partition::<Vec<Cipher>, _>(|c| all.contains(c));
                list = [stay, moved].concat();
            }
            _ => {
                if all.is_empty() && !words.starts_with("TLS_") {
                    unspoken.push(words.to_owned());
                }
                let new = |cipher: &Cipher| !list.contains(cipher) && !killed.contains(cipher);
                let new: Vec<Cipher> = all.into_iter().filter(new).collect();
                list.extend(new);
            }
        }
    }
    Evaluated { list, unspoken }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&'static str> {
        evaluate(text).list.into_iter().map(Cipher::name).collect()
    }

    #[test]
    fn the_usual_texts_mean_what_they_mean_to_openssl() {
        assert_eq!(names("HIGH:!aNULL:!MD5"), Cipher::ALL.map(Cipher::name));
        assert_eq!(
            names("EECDH+ECDSA+AESGCM:EECDH+aRSA+AES256"),
            [
                "ECDHE-ECDSA-AES256-GCM-SHA384",
                "ECDHE-ECDSA-AES128-GCM-SHA256",
                "ECDHE-RSA-AES256-GCM-SHA384",
            ]
        );
        assert_eq!(
            names("AES128:ALL:!CHACHA20:-aRSA:+AES128"),
            ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256",]
        );
    }

    #[test]
    fn what_is_not_spoken_is_named() {
        let text =
            "ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256:AES128-SHA:!DSS:@STRENGTH";
        assert_eq!(evaluate(text).unspoken, ["DHE-RSA-AES128-GCM-SHA256", "AES128-SHA"]);
        assert!(names("RC4:DES-CBC3-SHA").is_empty());
        assert!(evaluate("TLS_AES_128_GCM_SHA256:HIGH").unspoken.is_empty());
    }
}
