//! TLS to upstreams: `proxy_ssl_*`, `uwsgi_ssl_*`, `grpc_ssl_*`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::sign::SingleCertAndKey;
use tidegate_config::Config;
use tidegate_config::block::Location;
use tidegate_config::diagnostic::Diagnostic;
use tidegate_config::files::Files;
use tidegate_config::http::forward_ssl::ForwardSsl;
use tidegate_config::http::pass::{Destination, Protocol};
use tidegate_config::http::ssl::curve::Curve;
use tidegate_http::tls::trust::{Purpose, Trust, is_for};
use tidegate_http::tls::{any_certificate::AnyCertificate, load, provider};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::fault::{Action, Fault};
use crate::stream::Stream;

/// How TLS is spoken, by what is said of it.
#[derive(Debug, Default)]
pub struct Clients {
    /// By the address of what is said, which lives as long as the configuration.
    by_settings: HashMap<usize, Arc<Client>>,
}

/// How TLS is spoken to some upstreams.
#[derive(Debug)]
pub struct Client {
    /// Which one it is, among all of the process.
    number: u64,
    config: Arc<ClientConfig>,
    /// The same, asking for HTTP/2.
    http2: Arc<ClientConfig>,
    /// Who is trusted, where certificates are checked.
    trust: Option<Trust>,
}

/// A handshake that is to be made: how, and with whom.
#[derive(Clone, Debug)]
pub struct Secured {
    client: Arc<Client>,
    /// The name that the certificate must be for.
    name: Arc<str>,
}

/// A connection over TLS, and what it was made for.
#[derive(Debug)]
pub struct Tls {
    pub(crate) stream: TlsStream<Stream>,
    made_for: Secured,
}

impl Clients {
    /// Reads what all locations that forward over TLS need.
    pub fn new(config: &Config) -> Result<Self, Vec<Diagnostic>> {
        let clients = RefCell::new(HashMap::new());
        let faults = RefCell::new(Vec::new());
        let visit = |location: &Location| {
            let Some((family, settings)) = used(location) else { return false };
            let key = Arc::as_ptr(settings).addr();
            if !clients.borrow().contains_key(&key) {
                match client(settings, family, &config.files) {
                    Ok(client) => drop(clients.borrow_mut().insert(key, Arc::new(client))),
                    Err(fault) => faults.borrow_mut().push(fault),
                }
            }
            false
        };
        for server in &config.http.servers {
            server.location.any(&visit);
        }
        let faults = faults.into_inner();
        if faults.is_empty() { Ok(Self { by_settings: clients.into_inner() }) } else { Err(faults) }
    }

    /// How TLS is spoken where this is said, with an upstream of this name and perhaps its port.
    pub(crate) fn secured(&self, settings: &Arc<ForwardSsl>, name: &str) -> Option<Secured> {
        let client = self.by_settings.get(&Arc::as_ptr(settings).addr())?;
        Some(Secured { client: Arc::clone(client), name: without_port(name).into() })
    }
}

/// What is said of TLS where it is, or may be, spoken, and what its directives begin with.
fn used(location: &Location) -> Option<(&'static str, &Arc<ForwardSsl>)> {
    let pass = location.pass.to.as_ref()?;
    let spoken = pass.tls || matches!(pass.to, Destination::Variable(_));
    let family = match pass.protocol {
        Protocol::Http => ("proxy", &location.proxy_ssl),
        Protocol::Uwsgi => ("uwsgi", &location.uwsgi_ssl),
        Protocol::Grpc => ("grpc", &location.grpc_ssl),
        Protocol::Fastcgi | Protocol::Scgi => return None,
    };
    spoken.then_some(family)
}

fn without_port(name: &str) -> &str {
    if let Some(inner) = name.strip_prefix('[') {
        return inner.split(']').next().unwrap_or(inner);
    }
    match name.rsplit_once(':') {
        Some((host, _)) if !host.contains(':') => host,
        _ => name,
    }
}

fn client(ssl: &ForwardSsl, family: &str, files: &Files) -> Result<Client, Diagnostic> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let curves = [Curve::X25519Mlkem768, Curve::X25519, Curve::P256, Curve::P384];
    let provider = provider::provider(&ssl.ciphers.list, &ssl.conf_command, &curves);
    let unusable = |error| Diagnostic::emerg(format!("TLS cannot be set up: {error}"));
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&provider::versions(ssl.protocols))
        .map_err(unusable)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate::new()));
    let passwords = load::passwords(ssl.password_file.as_ref(), files)?;
    let mut config = match (&ssl.certificate, &ssl.certificate_key) {
        (Some(certificate), Some(key)) if !certificate.text.is_empty() => {
            let certified = load::certified((certificate, key), &passwords, files)?;
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified)))
        }
        (Some(certificate), None) if !certificate.text.is_empty() => {
            let text = &certificate.text;
            let text = format!(
                "no \"{family}_ssl_certificate_key\" is defined for certificate \"{text}\""
            );
            return Err(Diagnostic::emerg(text).at(certificate.span));
        }
        _ => builder.with_no_client_auth(),
    };
    config.enable_sni = ssl.server_name;
    if !ssl.session_reuse {
        config.resumption = Resumption::disabled();
    }
    let trust = if ssl.verify { Some(trust(ssl, family, files)?) } else { None };
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mut http2 = config.clone();
    http2.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Client { number, config: Arc::new(config), http2: Arc::new(http2), trust })
}

fn trust(ssl: &ForwardSsl, family: &str, files: &Files) -> Result<Trust, Diagnostic> {
    let mut trust = Trust::new(ssl.verify_depth);
    let Some(authorities) = &ssl.trusted_certificate else {
        let text = format!("no {family}_ssl_trusted_certificate for {family}_ssl_verify");
        let hint = "name the file of the authorities that sign upstreams' certificates: \
                    /etc/ssl/certs/ca-certificates.crt has the public ones";
        return Err(Diagnostic::emerg(text).hint(hint));
    };
    load::authorities(&mut trust, authorities, files)?;
    if let Some(lists) = &ssl.crl {
        load::lists(&mut trust, lists, files)?;
    }
    Ok(trust)
}

impl PartialEq for Secured {
    fn eq(&self, other: &Self) -> bool {
        self.client.number == other.client.number && self.name == other.name
    }
}

impl Tls {
    /// What the connection was made for.
    pub(crate) fn made_for(&self) -> &Secured {
        &self.made_for
    }
}

/// Shakes hands with an upstream, in no more than `patience`, and looks at its certificate (nginx:
/// `ngx_http_upstream_ssl_handshake`).
pub(crate) async fn handshake(
    stream: Stream,
    (secured, http2): (&Secured, bool),
    patience: Duration,
) -> Result<Stream, Fault> {
    let client = &secured.client;
    let config = if http2 { &client.http2 } else { &client.config };
    let connector = TlsConnector::from(Arc::clone(config));
    // A name that is none for a certificate is not told in the handshake, as an address is not.
    let unnamed = ServerName::IpAddress(std::net::Ipv4Addr::UNSPECIFIED.into());
    let name = ServerName::try_from(secured.name.to_string()).unwrap_or(unnamed);
    let shaken = tokio::time::timeout(patience, connector.connect(name, stream)).await;
    let stream = shaken
        .map_err(|_| Fault::TimedOut(Action::Handshaking))?
        .map_err(|error| Fault::Handshake(reason(&error)))?;
    judge(&stream, secured).map_err(Fault::Handshake)?;
    Ok(Stream::Tls(Box::new(Tls { stream, made_for: secured.clone() })))
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
            "peer closed connection in SSL handshake".to_owned()
        }
        io::ErrorKind::InvalidData => format!("SSL_do_handshake() failed (SSL: {error})"),
        _ => format!("SSL_do_handshake() failed ({error})"),
    }
}

fn judge(stream: &TlsStream<Stream>, secured: &Secured) -> Result<(), String> {
    let Some(trust) = &secured.client.trust else { return Ok(()) };
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    trust.judge(chain, Purpose::Server, UnixTime::now()).map_err(|why| {
        format!("upstream SSL certificate verify error: ({}:{})", why.code, why.words)
    })?;
    if chain.first().is_some_and(|first| is_for(first, &secured.name)) {
        return Ok(());
    }
    Err(format!("upstream SSL certificate does not match \"{}\"", secured.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_part_of_a_name() {
        assert_eq!(without_port("a.test:8443"), "a.test");
        assert_eq!(without_port("a.test"), "a.test");
        assert_eq!(without_port("[::1]:443"), "::1");
        assert_eq!(without_port("::1"), "::1");
    }
}
