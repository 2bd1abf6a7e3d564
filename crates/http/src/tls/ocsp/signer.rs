//! Who may answer for an authority: itself, or whom it has given a certificate for that (RFC 6960,
//! section 4.2.2.2).

use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::answer::Answer;

/// `id-kp-OCSPSigning`
const SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 9];

/// Whether the issuer, or somebody in its name, has signed an answer.
pub(super) fn check(
    answer: &Answer<'_>,
    issuer: &CertificateDer<'_>,
    now: u64,
) -> Result<(), String> {
    let by_itself = signed_by(answer, issuer);
    let signed = by_itself
        || answer.certificates.iter().any(|certificate| {
            let certificate = CertificateDer::from(*certificate);
            is_appointed(&certificate, issuer, now) && signed_by(answer, &certificate)
        });
    if signed { Ok(()) } else { Err("OCSP_basic_verify() failed".to_owned()) }
}

fn signed_by(answer: &Answer<'_>, signer: &CertificateDer<'_>) -> bool {
    let Ok(signer) = EndEntityCert::try_from(signer) else { return false };
    let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms.all;
    algorithms
        .iter()
        .filter(|algorithm| algorithm.signature_alg_id().as_ref() == answer.algorithm)
        .any(|algorithm| {
            signer.verify_signature(*algorithm, answer.signed, answer.signature).is_ok()
        })
}

/// Whether the issuer has given this certificate for answers.
fn is_appointed(certificate: &CertificateDer<'_>, issuer: &CertificateDer<'_>, now: u64) -> bool {
    let Ok(parsed) = EndEntityCert::try_from(certificate) else { return false };
    let Ok(anchor) = anchor_from_trusted_cert(issuer) else { return false };
    let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms.all;
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
    let usage = KeyUsage::required(SIGNING);
    parsed.verify_for_usage(algorithms, &[anchor], &[], now, usage, None, None).is_ok()
}
