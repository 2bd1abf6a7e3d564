//! `ssl_conf_command`: commands for OpenSSL, of which one says something to us.

use crate::directive::{Arguments, Arity, Cx, Fault};
use crate::value::Value;

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfCommand {
    /// `Ciphersuites`: those of TLS 1.3, the most wanted first.
    Ciphersuites(Vec<Suite>),
    /// Another one.
    Other,
}

/// A cipher of TLS 1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// `TLS_AES_256_GCM_SHA384`
    Aes256,
    /// `TLS_CHACHA20_POLY1305_SHA256`
    Chacha20,
    /// `TLS_AES_128_GCM_SHA256`
    Aes128,
}

/// OpenSSL's commands that a file may hold.
const KNOWN: [&str; 22] = [
    "ciphersuites",
    "cipherstring",
    "minprotocol",
    "maxprotocol",
    "protocol",
    "options",
    "groups",
    "curves",
    "signaturealgorithms",
    "clientsignaturealgorithms",
    "dhparameters",
    "ecdhparameters",
    "certificate",
    "privatekey",
    "chaincafile",
    "chaincapath",
    "verifycafile",
    "verifycapath",
    "requestcafile",
    "verifymode",
    "recordpadding",
    "numtickets",
];

/// Commands that decide who is let in, or whom we trust, and what says the same.
const DECIDING: [(&str, &str); 4] = [
    ("MinProtocol", "`ssl_protocols` and its kin name the versions that are spoken"),
    ("MaxProtocol", "`ssl_protocols` and its kin name the versions that are spoken"),
    ("Protocol", "`ssl_protocols` and its kin name the versions that are spoken"),
    ("VerifyMode", "`ssl_verify_client` and `proxy_ssl_verify` say who must show a certificate"),
];

impl Value for ConfCommand {
    const ARITY: Arity = Arity::between(2, 2);

    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let (command, value) = (args.first(), args.at(1));
        let refused = |word: &crate::syntax::Word| {
            let (command, value) = (&command.text, &value.text);
            Fault::sentence(format!("SSL_CONF_cmd(\"{command}\", \"{value}\") failed"))
                .at(word.span)
                .hint("`Ciphersuites` names ciphers of TLS 1.3 by OpenSSL's words")
        };
        if !KNOWN.contains(&command.text.to_ascii_lowercase().as_str()) {
            return Err(refused(command).hint("OpenSSL has no such command"));
        }
        let decides = |(name, _): &&(&str, &str)| command.text.eq_ignore_ascii_case(name);
        if let Some((name, mend)) = DECIDING.iter().find(decides) {
            let text = format!("\"{}\" with `{name}` is not supported", args.name.text);
            return Err(Fault::sentence(text).at(command.span).hint(*mend));
        }
        if !command.text.eq_ignore_ascii_case("Ciphersuites") {
            let name = format!("{} {}", args.name.text, command.text);
            cx.names.ignored(&name, "only `Ciphersuites` acts", command.span);
            return Ok(Self::Other);
        }
        let mut suites = Vec::new();
        for name in value.text.split(':').filter(|name| !name.is_empty()) {
            suites.push(match name {
                "TLS_AES_256_GCM_SHA384" => Suite::Aes256,
                "TLS_CHACHA20_POLY1305_SHA256" => Suite::Chacha20,
                "TLS_AES_128_GCM_SHA256" => Suite::Aes128,
                "TLS_AES_128_CCM_SHA256" | "TLS_AES_128_CCM_8_SHA256" => continue,
                _ => return Err(refused(value)),
            });
        }
        if suites.is_empty() {
            return Err(refused(value).hint("no cipher of it is spoken"));
        }
        Ok(Self::Ciphersuites(suites))
    }
}
