//! TLS to upstreams: `proxy_ssl_*`, `uwsgi_ssl_*`, `grpc_ssl_*`.

mod handshake;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use tidegate_config::Config;
use tidegate_config::block::Location;
use tidegate_config::diagnostic::Diagnostic;
use tidegate_config::files::Files;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::forward_ssl::ForwardSsl;
use tidegate_config::http::pass::{Destination, Protocol};
use tidegate_config::http::ssl::curve::Curve;
use tidegate_config::value::pem::{Pem, PemSource};
use tidegate_http::exchange::Exchange;
use tidegate_http::stop::Stop;
use tidegate_http::tls::named::{Named, Source};
use tidegate_http::tls::trust::Trust;
use tidegate_http::tls::{any_certificate::AnyCertificate, load, provider};
use tokio_rustls::client::TlsStream;

pub use self::handshake::Unshaken;
pub(crate) use self::handshake::{handshake, unwelcome};
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
    trust: Option<Arc<Trust>>,
    /// Whether sessions are resumed.
    remembers: bool,
    /// Who shows certificates that variables name.
    showing: Option<Showing>,
}

/// Certificates of ours that variables name, and who speaks with each of them.
#[derive(Debug)]
struct Showing {
    certificate: Pem,
    key: Pem,
    clients: Named<Arc<Client>>,
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

    /// How TLS is spoken where this is said, with an upstream of this name and perhaps its port. A
    /// certificate that variables name and that cannot be shown is told, and ends the request.
    pub(crate) fn secured(
        &self,
        settings: &Arc<ForwardSsl>,
        name: &str,
        ex: &mut Exchange<'_>,
    ) -> Result<Secured, Stop> {
        let client = self.by_settings.get(&Arc::as_ptr(settings).addr());
        let client = client.ok_or(Stop::Status(500))?;
        let client = client.showing(ex).map_err(|why| {
            ex.log(Level::Error, &why);
            Stop::Status(500)
        })?;
        Ok(Secured { client, name: without_port(name).into() })
    }
}

impl Client {
    /// The one who shows what variables name for this request (nginx:
    /// `ngx_http_upstream_ssl_certificate`).
    fn showing(self: &Arc<Self>, ex: &mut Exchange<'_>) -> Result<Arc<Self>, String> {
        let Some(showing) = &self.showing else { return Ok(Arc::clone(self)) };
        let certificate = Source::of(ex, &showing.certificate);
        if certificate.is_empty() {
            return Ok(Arc::clone(self));
        }
        let key = Source::of(ex, &showing.key);
        showing.clients.get((&certificate, &key), |certified, _| Arc::new(self.with(certified)))
    }

    /// The same with another certificate, whose sessions are its own: a peer may know by them who
    /// we are.
    fn with(&self, certified: CertifiedKey) -> Self {
        let resolver = Arc::new(SingleCertAndKey::from(certified));
        let changed = |config: &ClientConfig| {
            let mut config = config.clone();
            config.client_auth_cert_resolver = Arc::clone(&resolver) as _;
            config
        };
        let (mut config, mut http2) = (changed(&self.config), changed(&self.http2));
        if self.remembers {
            config.resumption = Resumption::default();
            http2.resumption = config.resumption.clone();
        }
        let (config, http2) = (Arc::new(config), Arc::new(http2));
        let trust = self.trust.clone();
        Self { number: next(), config, http2, trust, remembers: self.remembers, showing: None }
    }
}

/// The number of another client.
fn next() -> u64 {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed)
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
    let curves = [Curve::X25519Mlkem768, Curve::X25519, Curve::P256, Curve::P384];
    let provider = provider::provider(&ssl.ciphers.list, &ssl.conf_command, &curves);
    let unusable = |error| Diagnostic::emerg(format!("TLS cannot be set up: {error}"));
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&provider::versions(ssl.protocols))
        .map_err(unusable)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate::new()));
    let passwords = load::passwords(ssl.password_file.as_ref(), files)?;
    let mut showing = None;
    let mut config = match (&ssl.certificate, &ssl.certificate_key) {
        (Some(certificate), Some(key)) if by_variables(certificate) || by_variables(key) => {
            let clients = Named::new(passwords, ssl.certificate_cache);
            let (certificate, key) = (certificate.clone(), key.clone());
            showing = Some(Showing { certificate, key, clients });
            builder.with_no_client_auth()
        }
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
    let trust = if ssl.verify { Some(Arc::new(trust(ssl, family, files)?)) } else { None };
    let mut http2 = config.clone();
    http2.alpn_protocols = vec![b"h2".to_vec()];
    let (config, http2) = (Arc::new(config), Arc::new(http2));
    Ok(Client { number: next(), config, http2, trust, remembers: ssl.session_reuse, showing })
}

fn by_variables(pem: &Pem) -> bool {
    matches!(pem.from, PemSource::Variable(..))
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
