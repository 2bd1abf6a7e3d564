//! OCSP: asking an authority whether a certificate of its holds (RFC 6960).

mod answer;
mod signer;

use rustls::pki_types::CertificateDer;
use sha1::{Digest, Sha1};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};

use super::der::{self, INTEGER, OCTETS, SEQUENCE};

/// How much clocks may differ, in seconds (nginx: `ngx_ssl_ocsp_verify`).
const SKEW: u64 = 300;

/// `id-sha1`, as an `AlgorithmIdentifier`: what certificates are named by.
const SHA1: [u8; 11] = [SEQUENCE, 9, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a, 5, 0];

/// What an authority says of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It holds.
    Good,
    /// It has been taken back.
    Revoked,
    /// The authority does not know it.
    Unknown,
}

/// An authority's word on a certificate, its signature checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What it says.
    pub status: Status,
    /// Until when, in seconds since 1970; `None` where it does not say.
    pub until: Option<u64>,
}

/// Whether these bytes are an answer of an authority, whatever it says.
pub fn is_answer(bytes: &[u8]) -> bool {
    answer::is_one(bytes)
}

/// A question about one certificate.
#[derive(Clone, Debug)]
pub struct Question {
    issuer: CertificateDer<'static>,
    /// The certificate's name, as a `CertID`.
    id: Vec<u8>,
    /// Whom the certificate says to ask, by `http://`.
    pub responder: Option<String>,
}

impl Question {
    /// About a certificate that this issuer has signed; `None` where either cannot be read.
    pub fn about(certificate: &[u8], issuer: &[u8]) -> Option<Self> {
        let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
        let (_, by) = x509_parser::parse_x509_certificate(issuer).ok()?;
        if parsed.issuer().as_raw() != by.subject().as_raw() {
            return None;
        }
        let key = &by.public_key().subject_public_key.data;
        let id = [
            SHA1.as_slice(),
            &der::value(OCTETS, &Sha1::digest(parsed.issuer().as_raw())),
            &der::value(OCTETS, &Sha1::digest(key)),
            &der::value(INTEGER, parsed.raw_serial()),
        ];
        Some(Self {
            issuer: CertificateDer::from(issuer.to_vec()),
            id: der::value(SEQUENCE, &id.concat()),
            responder: responder(&parsed),
        })
    }

    /// The question, in DER.
    pub fn request(&self) -> Vec<u8> {
        // OCSPRequest, TBSRequest, requestList, Request: nothing but the name.
        (0..4).fold(self.id.clone(), |inner, _| der::value(SEQUENCE, &inner))
    }

    /// The name, for remembering what has been said.
    pub fn name(&self) -> &[u8] {
        &self.id
    }

    /// What an answer in DER says at this time, in seconds since 1970; else why it is none.
    pub fn judge(&self, answer: &[u8], now: u64) -> Result<Verdict, String> {
        let answer = answer::read(answer)?;
        signer::check(&answer, &self.issuer, now)?;
        let single = answer.about(&self.id).ok_or("certificate status not found")?;
        if single.since > now + SKEW {
            return Err("the answer holds later".to_owned());
        }
        if single.until.is_some_and(|until| until + SKEW < now) {
            return Err("the answer has expired".to_owned());
        }
        Ok(Verdict { status: single.status, until: single.until })
    }
}

fn responder(certificate: &X509Certificate<'_>) -> Option<String> {
    const OCSP: &str = "1.3.6.1.5.5.7.48.1";
    certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(access) => {
            access.accessdescs.iter().find_map(|one| match &one.access_location {
                GeneralName::URI(uri) if one.access_method.to_id_string() == OCSP => {
                    Some((*uri).to_owned())
                }
                _ => None,
            })
        }
        _ => None,
    })
}
