//! The handshake with an upstream, and what is wrong where it comes to nothing.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{AlertDescription, Error};
use tidegate_http::tls::subject;
use tidegate_http::tls::trust::{Distrust, Purpose};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Secured, Tls};
use crate::fault::{Action, Fault};
use crate::stream::Stream;

/// How many names of a certificate are told.
const TOLD: usize = 10;

/// Why a handshake has come to nothing, in nginx's words.
#[derive(Debug, thiserror::Error)]
pub enum Unshaken {
    /// The peer hung up.
    #[error("peer closed connection in SSL handshake")]
    Closed,
    /// What was said is no TLS, or none that both speak.
    #[error("SSL_do_handshake() failed (SSL: {0})")]
    Tls(Error),
    /// The connection broke.
    #[error("SSL_do_handshake() failed ({0})")]
    System(io::Error),
    /// The certificate is not trusted.
    #[error("upstream SSL certificate verify error: ({}:{})", .0.code, .0.words)]
    Distrusted(Distrust),
    /// The certificate is for others.
    #[error("upstream SSL certificate does not match \"{wanted}\"")]
    Misnamed {
        /// The host that it should be for.
        wanted: Arc<str>,
        /// Those that it is for.
        hosts: Vec<String>,
    },
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
        .map_err(|error| Fault::Handshake(Unshaken::of(error)))?;
    judge(&stream, secured).map_err(Fault::Handshake)?;
    Ok(Stream::Tls(Box::new(Tls { stream, made_for: secured.clone() })))
}

fn judge(stream: &TlsStream<Stream>, secured: &Secured) -> Result<(), Unshaken> {
    let Some(trust) = &secured.client.trust else { return Ok(()) };
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    trust.judge(chain, Purpose::Server, UnixTime::now()).map_err(Unshaken::Distrusted)?;
    if chain.first().is_some_and(|first| subject::is_for(first, &secured.name)) {
        return Ok(());
    }
    let hosts = chain.first().map(subject::hosts).unwrap_or_default();
    Err(Unshaken::Misnamed { wanted: Arc::clone(&secured.name), hosts })
}

impl Unshaken {
    fn of(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => Self::Closed,
            _ => match cause(&error) {
                Some(cause) => Self::Tls(cause.clone()),
                None => Self::System(error),
            },
        }
    }

    /// What is likely to be done about it; `family` is the prefix of the directives.
    pub(crate) fn mend(&self, family: &str) -> Option<String> {
        Some(match self {
            Self::Closed => format!(
                "does it speak TLS on this port? One that has several certificates may want to be told \
                 a name: {family}_ssl_server_name on"
            ),
            Self::Tls(Error::InvalidMessage(_)) => {
                "it does not speak TLS on this port: leave the s of https, grpcs or suwsgi out, or \
                 name another port"
                    .to_owned()
            }
            Self::Tls(Error::AlertReceived(alert)) => alerted(*alert, family)?,
            Self::Tls(Error::PeerIncompatible(_)) => disagreed(family),
            Self::Distrusted(why) if why.is_of_authority() => format!(
                "nobody in {family}_ssl_trusted_certificate has signed it: add who did, have the \
                 upstream send its whole chain, or raise {family}_ssl_verify_depth"
            ),
            Self::Distrusted(why) if matches!(why.code, 9 | 10) => {
                "the upstream needs a new certificate, or one of the clocks is wrong".to_owned()
            }
            Self::Distrusted(why) if matches!(why.code, 3 | 12) => {
                format!("{family}_ssl_crl must have a current list of each authority")
            }
            Self::Tls(_) | Self::System(_) | Self::Distrusted(_) => return None,
            Self::Misnamed { hosts, .. } if hosts.is_empty() => {
                "it is for no host at all: have it made with names (subjectAltName)".to_owned()
            }
            Self::Misnamed { hosts, .. } => format!(
                "it is for {}{}: if that is whom you mean, say one of them in {family}_ssl_name",
                hosts.iter().take(TOLD).map(String::as_str).collect::<Vec<_>>().join(", "),
                if hosts.len() > TOLD { " and others" } else { "" }
            ),
        })
    }
}

/// What TLS says of an error of a connection.
fn cause(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// What to do where a peer has ended an encrypted connection with a reason.
pub(crate) fn unwelcome(error: &io::Error, family: &str) -> Option<String> {
    match cause(error)? {
        Error::AlertReceived(alert) => alerted(*alert, family),
        _ => None,
    }
}

fn alerted(alert: AlertDescription, family: &str) -> Option<String> {
    Some(match alert {
        AlertDescription::ProtocolVersion
        | AlertDescription::HandshakeFailure
        | AlertDescription::InsufficientSecurity => disagreed(family),
        AlertDescription::UnrecognisedName => format!(
            "it wants to be told a name it has: {family}_ssl_server_name on, and {family}_ssl_name"
        ),
        AlertDescription::CertificateRequired => {
            format!("it wants a certificate of ours: {family}_ssl_certificate, with its key")
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA => {
            format!("it does not take the certificate in {family}_ssl_certificate")
        }
        AlertDescription::NoApplicationProtocol => {
            "it does not speak HTTP/2 on this port, which grpc_pass and proxy_http_version 2 want"
                .to_owned()
        }
        _ => return None,
    })
}

fn disagreed(family: &str) -> String {
    format!(
        "no version or cipher is spoken by both: look at {family}_ssl_protocols and \
         {family}_ssl_ciphers; before TLS 1.2 nothing is spoken here"
    )
}
