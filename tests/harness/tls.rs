//! Certificates made for a test, and a client that takes any.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use rcgen::{CertificateParams, CertificateRevocationListParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ServerConfig, SupportedProtocolVersion};
use tidegate_http::tls::any_certificate::AnyCertificate;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::DEADLINE;

/// A certificate and its key, as PEM.
#[derive(Clone, Debug)]
pub struct Made {
    /// The certificate.
    pub certificate: String,
    /// Its key, PKCS#8.
    pub key: String,
}

/// An authority.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// An authority of this name.
    pub fn new(name: &str) -> Self {
        let (params, key) = Self::named(name);
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        Self { issuer }
    }

    /// An authority of this name that this one has signed.
    pub fn below(&self, name: &str) -> Self {
        let (mut params, key) = Self::named(name);
        params.use_authority_key_identifier_extension = true;
        let issuer = CertifiedIssuer::signed_by(params, key, &self.issuer).expect("a certificate");
        Self { issuer }
    }

    fn named(name: &str) -> (CertificateParams, KeyPair) {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.key_usages =
            vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::CrlSign];
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        (params, KeyPair::generate().expect("a key"))
    }

    /// Its own certificate.
    pub fn certificate(&self) -> String {
        self.issuer.pem()
    }

    /// Its key.
    pub fn key(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A list of what it has taken back.
    pub fn revoke(&self, list: &CertificateRevocationListParams) -> String {
        list.signed_by(&self.issuer).expect("a list").pem().expect("PEM")
    }

    /// A certificate that it has signed.
    pub fn sign(&self, mut params: CertificateParams) -> Made {
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate").pem();
        Made { certificate, key: key.serialize_pem() }
    }
}

/// What a certificate for these names is made of; the first is its common name.
pub fn named(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let first = names.first().cloned().unwrap_or_default();
    let mut params = CertificateParams::new(names).expect("names");
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, first);
    params
}

/// A certificate for these names that has signed itself.
pub fn certificate(names: &[&str]) -> Made {
    let key = KeyPair::generate().expect("a key");
    let certificate = named(names).self_signed(&key).expect("a certificate").pem();
    Made { certificate, key: key.serialize_pem() }
}

/// Shakes hands, asking for this name.
pub async fn connect(
    stream: TcpStream,
    name: &'static str,
    config: Arc<ClientConfig>,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(name).expect("a name");
    TlsConnector::from(config).connect(name, stream).await
}

/// A client that takes any certificate and shows this one.
pub fn config_with(made: &Made) -> ClientConfig {
    config_of(aws_lc_rs::default_provider(), rustls::DEFAULT_VERSIONS, Some(made))
}

/// A client that takes any certificate.
pub fn config() -> ClientConfig {
    config_of(aws_lc_rs::default_provider(), rustls::DEFAULT_VERSIONS, None)
}

/// A client that takes any certificate, speaks these versions, and shows this certificate.
pub fn config_of(
    provider: CryptoProvider,
    versions: &[&'static SupportedProtocolVersion],
    shown: Option<&Made>,
) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate::new()));
    let Some(made) = shown else { return builder.with_no_client_auth() };
    let certificate = CertificateDer::pem_slice_iter(made.certificate.as_bytes());
    let chain = certificate.collect::<Result<Vec<_>, _>>().expect("certificates");
    let key = PrivateKeyDer::from_pem_slice(made.key.as_bytes()).expect("a key");
    builder.with_client_auth_cert(chain, key).expect("a certificate and its key")
}

/// A server that shows this certificate, for streams of any protocol.
pub fn acceptor(made: &Made) -> TlsAcceptor {
    let certificate = CertificateDer::pem_slice_iter(made.certificate.as_bytes());
    let chain = certificate.collect::<Result<Vec<_>, _>>().expect("certificates");
    let key = PrivateKeyDer::from_pem_slice(made.key.as_bytes()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(rustls::DEFAULT_VERSIONS)
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key);
    TlsAcceptor::from(Arc::new(config.expect("a certificate and its key")))
}

/// Runs `openssl` on the files of a folder, with this input; what it prints.
pub async fn openssl(folder: &Path, arguments: &str, input: &str) -> String {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args(arguments.split_whitespace());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let input = input.to_owned();
    let run = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().expect("openssl can be run");
        let mut stdin = child.stdin.take().expect("its input");
        let _ = stdin.write_all(input.as_bytes());
        // Where it talks to a server, the server ends the conversation.
        let output = child.wait_with_output().expect("openssl ends");
        drop(stdin);
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&text).into_owned()
    });
    // Making a key takes its time where others want the processor, too.
    timeout(DEADLINE * 4, run).await.expect("openssl ends in time").expect("openssl can be run")
}
