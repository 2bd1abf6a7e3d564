//! What is legal and hardly meant about certificates: they end soon, are for other names, or come
//! without those that signed them.

use std::time::SystemTime;

use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, DnsName, ServerName};
use rustls::server::ParsedCertificate;
use tidegate_config::block::Server;
use tidegate_config::diagnostic::Diagnostic;
use tidegate_config::files::Files;
use tidegate_config::http::server_name::NameKind;
use tidegate_config::value::pem::{Pem, PemSource};
use tidegate_http::tls::certificate;
use x509_parser::certificate::X509Certificate;

use super::staple::Stapling;

/// How many days before a certificate's end it is told of.
const DAYS: i64 = 14;

const DAY: i64 = 86_400;

/// What is worth knowing about a server's certificates.
pub(super) fn of(server: &Server, files: &Files) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let stapling = Stapling::of(&server.settings.ssl, files);
    for pem in &server.settings.ssl.certificate {
        let PemSource::File(path) = &pem.from else { continue };
        let chain = files.read(path).ok().and_then(|text| certificate::chain(&text).ok());
        let Some(chain) = chain else { continue };
        let Some(first) = chain.first() else { continue };
        let Ok((_, parsed)) = x509_parser::parse_x509_certificate(first) else { continue };
        findings.extend(time(&parsed, pem));
        findings.extend(names(first, server, pem));
        findings.extend(lonely(&chain, &parsed, pem));
        findings.extend(stapling.as_ref().and_then(|stapling| unstapled(stapling, &chain, pem)));
    }
    findings
}

/// A certificate whose authority cannot be asked, though it is to be (nginx:
/// `ngx_ssl_stapling_certificate`).
fn unstapled(stapling: &Stapling, chain: &[CertificateDer<'_>], pem: &Pem) -> Option<Diagnostic> {
    let why = stapling.question(chain).err()?;
    let text = format!("\"ssl_stapling\" ignored, {why} \"{}\"", pem.text);
    let hint = "most authorities have ended OCSP; take ssl_stapling out where yours has";
    Some(Diagnostic::warn(text).at(pem.span).hint(hint))
}

fn time(certificate: &X509Certificate<'_>, pem: &Pem) -> Option<Diagnostic> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let now = i64::try_from(now.as_secs()).ok()?;
    let validity = certificate.validity();
    let left = validity.not_after.timestamp() - now;
    let text = &pem.text;
    let text = if left < 0 {
        format!("certificate \"{text}\" has ended on {}", validity.not_after)
    } else if validity.not_before.timestamp() > now {
        format!("certificate \"{text}\" begins on {}", validity.not_before)
    } else if left < DAYS * DAY {
        format!("certificate \"{text}\" ends in {} days, on {}", left / DAY, validity.not_after)
    } else {
        return None;
    };
    let hint = "browsers refuse it outside its time; get a new one, and reload";
    Some(Diagnostic::warn(text).at(pem.span).hint(hint))
}

/// Names of the server that the certificate is not for.
fn names(certificate: &CertificateDer<'_>, server: &Server, pem: &Pem) -> Option<Diagnostic> {
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    let is_for = |name: &str| {
        let name = DnsName::try_from(name.to_owned()).map(ServerName::DnsName);
        name.is_err() || name.is_ok_and(|name| verify_server_name(&parsed, &name).is_ok())
    };
    let named = server.settings.server_name.names.iter().flat_map(|names| &names.0);
    let strange: Vec<&str> = named
        .filter_map(|name| match &name.kind {
            NameKind::Exact(host) if host.contains('.') => Some(host.as_ref()),
            _ => None,
        })
        .filter(|host| !is_for(host))
        .collect();
    let first = strange.first()?;
    let others = if strange.len() > 1 {
        format!(" and {} others", strange.len() - 1)
    } else {
        String::new()
    };
    let text = format!("certificate \"{}\" is not for {first}{others}", pem.text);
    let hint = "browsers refuse it there; get one with all names of the server";
    Some(Diagnostic::warn(text).at(pem.span).hint(hint))
}

/// A certificate of an authority that does not come along.
fn lonely(
    chain: &[CertificateDer<'_>],
    first: &X509Certificate<'_>,
    pem: &Pem,
) -> Option<Diagnostic> {
    if chain.len() > 1 || first.subject() == first.issuer() {
        return None;
    }
    let issuer = first.issuer().iter_common_name().next().and_then(|name| name.as_str().ok());
    let issuer = issuer.unwrap_or("another");
    let text = format!("certificate \"{}\" comes without that of its signer, {issuer}", pem.text);
    let hint = "clients that do not know the signer refuse it; name the file of the full chain";
    Some(Diagnostic::warn(text).at(pem.span).hint(hint))
}
