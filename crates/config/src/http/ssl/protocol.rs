//! `ssl_protocols`: the versions of TLS.

use crate::directive::{Arguments, Arity, Cx, Fault, Join};
use crate::value::Value;

/// The versions of TLS that are allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Protocols {
    /// TLS 1.2
    pub tls12: bool,
    /// TLS 1.3
    pub tls13: bool,
}

impl Join for Protocols {
    fn join(self, other: Self) -> Self {
        Self { tls12: self.tls12 || other.tls12, tls13: self.tls13 || other.tls13 }
    }
}

impl Value for Protocols {
    const ARITY: Arity = Arity::at_least(1);

    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        cx.twice(args.words);
        let mut protocols = Self::default();
        let mut old = Vec::new();
        for word in args.words {
            match word.text.to_ascii_lowercase().as_str() {
                "sslv2" | "sslv3" | "tlsv1" | "tlsv1.1" => old.push(word),
                "tlsv1.2" => protocols.tls12 = true,
                "tlsv1.3" => protocols.tls13 = true,
                _ => return Err(Fault::invalid_value(word)),
            }
        }
        // Of old ones beside these `lint` tells.
        match old.first() {
            Some(first) if protocols == Self::default() => {
                Err(Fault::phrase("names no version that is spoken")
                    .at(first.span)
                    .hint("write: ssl_protocols TLSv1.2 TLSv1.3;"))
            }
            _ => Ok(protocols),
        }
    }
}
