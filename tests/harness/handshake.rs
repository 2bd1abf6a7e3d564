//! A handshake in a word: `a.test`, `-+1.2`, `a.test+h2+good`.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, SupportedProtocolVersion};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::DEADLINE;
use super::tls::{self, Made};

/// What shakes hands as words say, and remembers the sessions of each word at each port.
///
/// The name that is asked for stands first, `-` for none. Behind it, each after a `+`: `1.2` or
/// `1.3`, the only version that is spoken; `h2`, the protocol that is asked for by ALPN and spoken;
/// `alpn:a,b`, others that are asked for; `aes128` or `aes256`, the only cipher of TLS 1.2; the name
/// of a certificate to show.
#[derive(Default)]
pub struct Handshakes {
    certificates: HashMap<String, Made>,
    known: HashMap<(u16, String), Arc<ClientConfig>>,
}

impl Handshakes {
    /// One that can show these certificates.
    pub fn with(certificates: HashMap<String, Made>) -> Self {
        Self { certificates, known: HashMap::new() }
    }

    /// Shakes hands at a port of this machine; else what is wrong. What a server of TLS 1.3 refuses
    /// it tells behind the handshake.
    pub async fn connect(&mut self, port: u16, word: &str) -> Result<TlsStream<TcpStream>, String> {
        let name = word.split('+').next().unwrap_or_default();
        let name: &'static str = if name == "-" { "localhost" } else { name.to_owned().leak() };
        let key = (port, word.to_owned());
        let known = self.known.get(&key).cloned();
        let config = known.unwrap_or_else(|| Arc::new(self.config(word)));
        self.known.insert(key, Arc::clone(&config));
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let shaken = timeout(DEADLINE, tls::connect(stream, name, config)).await.expect("in time");
        shaken.map_err(|error| error.to_string())
    }

    fn config(&self, word: &str) -> ClientConfig {
        let mut versions: Vec<&'static SupportedProtocolVersion> = vec![&TLS13, &TLS12];
        let (mut shown, mut protocols) = (None, Vec::new());
        let mut provider = aws_lc_rs::default_provider();
        // nginx's OpenSSL knows no hybrids with ML-KEM.
        provider.kx_groups.retain(|group| !format!("{:?}", group.name()).contains("MLKEM"));
        let mut words = word.split('+');
        let unnamed = words.next() == Some("-");
        for word in words {
            match word {
                "1.2" => versions = vec![&TLS12],
                "1.3" => versions = vec![&TLS13],
                "h2" => protocols = vec![b"h2".to_vec()],
                "aes128" => provider.cipher_suites.retain(|s| format!("{s:?}").contains("_128_")),
                "aes256" => provider.cipher_suites.retain(|s| format!("{s:?}").contains("_256_")),
                _ => match word.strip_prefix("alpn:") {
                    Some(list) => {
                        protocols = list.split(',').map(|p| p.as_bytes().to_vec()).collect();
                    }
                    None => shown = Some(self.certificates.get(word).expect("a certificate")),
                },
            }
        }
        let mut config = tls::config_of(provider, &versions, shown);
        config.alpn_protocols = protocols;
        config.enable_sni = !unnamed;
        config
    }
}
