//! What one server answers handshakes with, built from what is said of it.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::NoServerSessionStorage;
use rustls::sign::CertifiedKey;
use tidegate_config::block::Server;
use tidegate_config::diagnostic::Diagnostic;
use tidegate_config::files::Files;
use tidegate_config::http::ssl::Ssl;
use tidegate_config::http::ssl::session::SessionCache;
use tidegate_config::value::pem::{Pem, PemFile, PemSource};
use tidegate_http::tls::any_certificate::AnyCertificate;
use tidegate_http::tls::trust::Trust;
use tidegate_http::tls::{load, ocsp, provider};

use super::named::Named;
use super::resolver::{Certificates, Shown};
use super::sessions::{Cache, Zone};
use super::standing::Standing;
use super::staple::Stapling;
use super::tickets::{self, Tickets};
use super::{Answers, Memory};

/// How much is taken before the handshake is over, in bytes (OpenSSL's default).
const EARLY: u32 = 16 * 1024;

/// How much room sessions have that only early data needs, in bytes.
const EARLY_ROOM: usize = 4 << 20;

/// `None` where the server shakes hands with nobody. A fault has its place and its mend.
pub(super) fn build(
    server: &Server,
    files: &Files,
    (memory, before): (&Memory, Option<&Memory>),
) -> Result<Option<Answers>, Diagnostic> {
    let ssl = &server.settings.ssl;
    if ssl.certificate.is_empty() || ssl.reject_handshake {
        return Ok(None);
    }
    let passwords = load::passwords(ssl.password_file.as_ref(), files)?;
    if let Some(file) = &ssl.dhparam {
        load::file_bytes(file, "ssl_dhparam", files)?;
    }
    let certificates = certificates(ssl, &passwords, files)?;
    let trust = trust(ssl, files)?;
    let stapling = Stapling::of(ssl, files);
    let staple = |certified: &Arc<CertifiedKey>| stapling.as_ref()?.staple(certified).ok();
    let shown = certificates.iter().map(Arc::clone);
    let shown = shown.map(|certified| Shown { staple: staple(&certified), certified });
    let shown = Arc::new(Certificates::new(shown.collect()));
    let named = Named::of(ssl, passwords, stapling);
    let mut config = plain(ssl, &shown, &trust)?;
    let identity = identity(ssl, &certificates, &trust);
    let secrets = ssl.session_ticket_key.iter().map(|file| ticket_key(file, files));
    let secrets: Vec<Vec<u8>> = secrets.collect::<Result<_, _>>()?;
    remember(&mut config, ssl, (&identity, &secrets), (memory, before));
    let spoken = ["http/1.1", "http/1.0", "http/0.9"];
    config.alpn_protocols = spoken.map(|name| name.as_bytes().to_vec()).to_vec();
    let mut http2 = config.clone();
    http2.alpn_protocols.insert(0, b"h2".to_vec());
    Ok(Some(Answers {
        http1: Arc::new(config),
        http2: Arc::new(http2),
        trust: Arc::new(trust),
        weight: shown.weight(),
        certificates: shown,
        standing: Standing::of(ssl, (memory, before)),
        named,
    }))
}

fn plain(
    ssl: &Ssl,
    certificates: &Arc<Certificates>,
    trust: &Trust,
) -> Result<ServerConfig, Diagnostic> {
    let provider = provider::provider(&ssl.ciphers.list, &ssl.conf_command, &ssl.ecdh_curve.0);
    let unusable = |error| Diagnostic::emerg(format!("TLS cannot be set up: {error}"));
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&provider::versions(ssl.protocols))
        .map_err(unusable)?;
    let builder = if ssl.verify_client.asks() {
        let any = AnyCertificate::new();
        let told = ssl.client_certificate.is_some();
        builder.with_client_cert_verifier(Arc::new(if told { any.telling_of(trust) } else { any }))
    } else {
        builder.with_no_client_auth()
    };
    let resolver: Arc<Certificates> = Arc::clone(certificates);
    let mut config = builder.with_cert_resolver(resolver);
    config.ignore_client_order = ssl.prefer_server_ciphers;
    // A record's head counts.
    let size = usize::try_from(ssl.buffer_size.0).unwrap_or(usize::MAX).clamp(512, 16 * 1024);
    config.max_fragment_size = (size < 16 * 1024).then_some(size + 5);
    Ok(config)
}

/// Where sessions are kept: by clients as tickets, by us, or not at all.
fn remember(
    config: &mut ServerConfig,
    ssl: &Ssl,
    (identity, secrets): (&[u8], &[Vec<u8>]),
    (memory, before): (&Memory, Option<&Memory>),
) {
    let lifetime = ssl.session_timeout.0;
    let zone = match &ssl.session_cache {
        SessionCache::Off | SessionCache::None => None,
        SessionCache::Builtin(sessions) => Some(Zone::new(sessions.saturating_mul(512))),
        SessionCache::Shared { name, size } => {
            let room = usize::try_from(size.0).unwrap_or(usize::MAX);
            Some(memory.zone(before, name, room))
        }
    };
    // A session that early data may come with serves once, which a ticket cannot promise.
    let zone = zone.or_else(|| ssl.early_data.then(|| Zone::new(EARLY_ROOM)));
    config.session_storage = match zone {
        Some(zone) => Arc::new(Cache { zone, trust: identity.to_vec(), lifetime }),
        None => Arc::new(NoServerSessionStorage {}),
    };
    if ssl.early_data {
        config.max_early_data_size = EARLY;
        config.send_half_rtt_data = true;
    } else if ssl.session_tickets {
        let mut trust = vec![identity, b"of"];
        trust.extend(secrets.iter().map(Vec::as_slice));
        let trust = tickets::trust(&trust);
        let make = || Tickets::new(secrets, memory.chain.clone(), identity, lifetime);
        if let Some(tickets) = memory.tickets(before, &trust, make) {
            config.ticketer = tickets;
        }
    }
    let kept = config.ticketer.enabled() || config.session_storage.can_cache();
    config.send_tls13_tickets = if kept { 2 } else { 0 };
}

/// What servers must share to take up each other's sessions (nginx: `ngx_ssl_session_id_context`).
fn identity(ssl: &Ssl, certificates: &[Arc<CertifiedKey>], trust: &Trust) -> Vec<u8> {
    let verify = format!("{:?} {}", ssl.verify_client, ssl.verify_depth);
    let lifetime = format!("{:?}", ssl.session_timeout.0);
    let mut parts: Vec<&[u8]> = vec![verify.as_bytes(), lifetime.as_bytes()];
    parts.extend(ssl.certificate.iter().map(|pem| pem.text.as_bytes()));
    parts.extend(certificates.iter().filter_map(|c| Some(c.cert.first()?.as_ref())));
    parts.extend(trust.certificates().iter().map(AsRef::as_ref));
    tickets::trust(&parts)
}

/// The certificates that no variable names.
fn certificates(
    ssl: &Ssl,
    passwords: &[Vec<u8>],
    files: &Files,
) -> Result<Vec<Arc<CertifiedKey>>, Diagnostic> {
    let mut certificates = Vec::new();
    for (certificate, key) in ssl.certificate.iter().zip(&ssl.certificate_key) {
        let variable = |pem: &Pem| matches!(pem.from, PemSource::Variable(..));
        if variable(certificate) || variable(key) {
            continue;
        }
        let mut certified = load::certified((certificate, key), passwords, files)?;
        if let Some(file) = ssl.stapling_file.as_ref().filter(|_| ssl.stapling) {
            certified.ocsp = Some(stapled(file, files)?);
        }
        certificates.push(Arc::new(certified));
    }
    Ok(certificates)
}

/// An authority's word out of a file.
fn stapled(file: &PemFile, files: &Files) -> Result<Vec<u8>, Diagnostic> {
    let bytes = load::file_bytes(file, "ssl_stapling_file", files)?;
    if ocsp::is_answer(&bytes) {
        return Ok(bytes);
    }
    let text = format!("d2i_OCSP_RESPONSE_bio(\"{}\") failed", file.path.display());
    let hint = "the file must be an answer of the authority's responder, in DER, as `openssl ocsp \
        -respout` writes it";
    Err(Diagnostic::emerg(text).at(file.span).hint(hint))
}

fn trust(ssl: &Ssl, files: &Files) -> Result<Trust, Diagnostic> {
    let mut trust = Trust::new(ssl.verify_depth);
    if !ssl.verify_client.asks() {
        // What is not there is told, whether it is needed or not.
        for file in [&ssl.client_certificate, &ssl.trusted_certificate].into_iter().flatten() {
            load::authorities(&mut Trust::new(ssl.verify_depth), file, files)?;
        }
        return Ok(trust);
    }
    for file in [&ssl.client_certificate, &ssl.trusted_certificate].into_iter().flatten() {
        load::authorities(&mut trust, file, files)?;
    }
    if let Some(file) = &ssl.crl {
        load::lists(&mut trust, file, files)?;
    }
    Ok(trust)
}

fn ticket_key(file: &PemFile, files: &Files) -> Result<Vec<u8>, Diagnostic> {
    let bytes = load::file_bytes(file, "ssl_session_ticket_key", files)?;
    if matches!(bytes.len(), 48 | 80) {
        return Ok(bytes);
    }
    let text = format!("\"{}\" must be 48 or 80 bytes", file.path.display());
    let hint = format!("openssl rand 80 > {}", file.path.display());
    Err(Diagnostic::emerg(text).at(file.span).hint(hint))
}
