//! A certificate with its chain and its key.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{Error, InconsistentKeys};

use super::fault::Fault;
use super::pem;
use super::signed::Noting;

/// The certificates of a PEM text, in their order.
pub fn chain(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let labels = ["CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE"];
    let sections = pem::sections(text)?.into_iter();
    let certificates = sections.filter(|section| labels.contains(&section.label.as_str()));
    let chain = certificates.map(|section| leading(section.content));
    let chain: Vec<CertificateDer<'static>> = chain.collect::<Result<_, _>>()?;
    if chain.is_empty() { Err(Fault::MissingCertificate) } else { Ok(chain) }
}

/// A certificate without what OpenSSL writes behind a trusted one.
fn leading(mut content: Vec<u8>) -> Result<CertificateDer<'static>, Fault> {
    let rest = match x509_parser::parse_x509_certificate(&content) {
        Ok((rest, _)) => rest.len(),
        Err(error) => return Err(Fault::Invalid(format!("d2i_X509() failed ({error})"))),
    };
    content.truncate(content.len() - rest);
    Ok(content.into())
}

/// A chain with the key of its first certificate.
pub fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: Arc<dyn SigningKey>,
) -> Result<CertifiedKey, Fault> {
    let certified = CertifiedKey::new(chain, Arc::new(Noting(key)));
    match certified.keys_match() {
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(certified),
        Err(Error::InconsistentKeys(_)) => Err(Fault::Mismatch),
        Err(error) => Err(Fault::Invalid(format!("SSL_CTX_use_certificate() failed ({error})"))),
    }
}
