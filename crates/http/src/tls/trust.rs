//! Who is trusted: authorities, what they have taken back, and what is said of a chain.

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{
    BorrowedCertRevocationList, CertRevocationList, EndEntityCert, Error, ExpirationPolicy,
    KeyUsage, RevocationOptionsBuilder, VerifiedPath, anchor_from_trusted_cert,
};

use super::certificate;
use super::fault::Fault;
use super::pem;

/// Who is trusted.
#[derive(Debug, Default)]
pub struct Trust {
    certificates: Vec<CertificateDer<'static>>,
    anchors: Vec<TrustAnchor<'static>>,
    lists: Vec<CertRevocationList<'static>>,
    /// How many authorities may stand between a chain's end and one that is trusted.
    depth: usize,
}

/// Why a chain is not trusted, by OpenSSL's number and words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distrust {
    /// OpenSSL's number (`X509_V_ERR_…`).
    pub code: u32,
    /// Its words.
    pub words: &'static str,
}

impl Distrust {
    /// Whether it says no more than that nobody we know has signed the chain (nginx:
    /// `ngx_ssl_verify_error_optional`).
    pub fn is_of_authority(self) -> bool {
        matches!(self.code, 18..=21)
    }
}

/// What a certificate is shown for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A client shows it.
    Client,
    /// A server shows it.
    Server,
}

impl Trust {
    /// Nobody is trusted yet; so many authorities may stand in between.
    pub fn new(depth: u32) -> Self {
        Self { depth: depth as usize, ..Self::default() }
    }

    /// Trusts the authorities of a PEM text.
    pub fn add(&mut self, text: &[u8]) -> Result<(), Fault> {
        for certificate in certificate::chain(text)? {
            // One of an old form is no anchor; it is still trusted itself.
            if let Ok(anchor) = anchor_from_trusted_cert(&certificate) {
                self.anchors.push(anchor.to_owned());
            }
            self.certificates.push(certificate);
        }
        Ok(())
    }

    /// Takes up what authorities have taken back: PEM, or one list in DER.
    pub fn add_lists(&mut self, text: &[u8]) -> Result<(), Fault> {
        let mut contents: Vec<Vec<u8>> = pem::sections(text)?
            .into_iter()
            .filter(|section| section.label == "X509 CRL")
            .map(|section| section.content)
            .collect();
        if contents.is_empty() && text.first() == Some(&0x30) {
            contents.push(text.to_vec());
        }
        if contents.is_empty() {
            return Err(Fault::MissingList);
        }
        for content in contents {
            let list = BorrowedCertRevocationList::from_der(&content)
                .and_then(|list| list.to_owned())
                .map_err(|error| Fault::Invalid(format!("d2i_X509_CRL() failed ({error})")))?;
            self.lists.push(list.into());
        }
        Ok(())
    }

    /// The certificates of the authorities.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    /// Whether a chain, its end first, leads to one that is trusted.
    pub fn judge(
        &self,
        chain: &[CertificateDer<'_>],
        purpose: Purpose,
        now: UnixTime,
    ) -> Result<(), Distrust> {
        let led = self.leads(chain, purpose, now);
        // OpenSSL tells what it finds last, and looks at times later.
        let later = led.is_err_and(|why| !why.is_of_authority());
        let unfit = || chain.first().is_some_and(|end| !serves(end, purpose));
        if !later && unfit() { Err(UNFIT) } else { led }
    }

    fn leads(
        &self,
        chain: &[CertificateDer<'_>],
        purpose: Purpose,
        now: UnixTime,
    ) -> Result<(), Distrust> {
        let Some((end, between)) = chain.split_first() else { return Err(UNSPECIFIED) };
        if self.lists.is_empty() && self.certificates.iter().any(|trusted| **trusted == **end) {
            return in_time(end, now);
        }
        let certificate = EndEntityCert::try_from(end).map_err(|error| distrust(&error, chain))?;
        let lists: Vec<&CertRevocationList<'_>> = self.lists.iter().collect();
        let revocation = RevocationOptionsBuilder::new(&lists).ok();
        let revocation =
            revocation.map(|lists| lists.with_expiration_policy(ExpirationPolicy::Enforce).build());
        let depth = |path: &VerifiedPath<'_>| {
            let between = path.intermediate_certificates().count();
            if between > self.depth { Err(Error::MaximumPathDepthExceeded) } else { Ok(()) }
        };
        let usage = match purpose {
            Purpose::Client => KeyUsage::client_auth(),
            Purpose::Server => KeyUsage::server_auth(),
        };
        let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms.all;
        certificate
            .verify_for_usage(
                algorithms,
                &self.anchors,
                between,
                now,
                usage,
                revocation,
                Some(&depth),
            )
            .map(|_| ())
            .map_err(|error| distrust(&error, chain))
    }
}

const UNSPECIFIED: Distrust =
    Distrust { code: 1, words: "unspecified certificate verification error" };
const EXPIRED: Distrust = Distrust { code: 10, words: "certificate has expired" };
const TOO_EARLY: Distrust = Distrust { code: 9, words: "certificate is not yet valid" };

const UNFIT: Distrust = Distrust { code: 26, words: "unsuitable certificate purpose" };

/// Whether a key may sign handshakes, or agree on their keys, where its certificate says for what it
/// is (OpenSSL: `check_purpose_ssl_client`, `check_purpose_ssl_server`).
fn serves(certificate: &[u8], purpose: Purpose) -> bool {
    let Ok((_, parsed)) = x509_parser::parse_x509_certificate(certificate) else { return true };
    let Ok(Some(usage)) = parsed.key_usage() else { return true };
    let usage = usage.value;
    let server = purpose == Purpose::Server && usage.key_encipherment();
    usage.digital_signature() || usage.key_agreement() || server
}

fn in_time(certificate: &[u8], now: UnixTime) -> Result<(), Distrust> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).map_err(|_| UNSPECIFIED)?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now > parsed.validity().not_after.timestamp() {
        return Err(EXPIRED);
    }
    if now < parsed.validity().not_before.timestamp() {
        return Err(TOO_EARLY);
    }
    Ok(())
}

/// OpenSSL's words for what webpki says.
fn distrust(error: &Error, chain: &[CertificateDer<'_>]) -> Distrust {
    let say = |code, words| Distrust { code, words };
    match error {
        Error::CertExpired { .. } => EXPIRED,
        Error::CertNotValidYet { .. } => TOO_EARLY,
        Error::CertRevoked => say(23, "certificate revoked"),
        Error::UnknownRevocationStatus => say(3, "unable to get certificate CRL"),
        Error::CrlExpired { .. } => say(12, "CRL has expired"),
        // OpenSSL looks no further than it may, and finds nobody there.
        Error::MaximumPathDepthExceeded => say(20, "unable to get local issuer certificate"),
        Error::PathLenConstraintViolated => say(25, "path length constraint exceeded"),
        Error::NameConstraintViolation => say(47, "permitted subtree violation"),
        Error::InvalidSignatureForPublicKey => say(7, "certificate signature failure"),
        Error::RequiredEkuNotFoundContext(_) => UNFIT,
        Error::UnsupportedCertVersion => {
            say(1, "certificate is of version 1; make it again with extensions")
        }
        // `openssl req -x509` makes such, and OpenSSL looks no further.
        Error::CaUsedAsEndEntity if matches!(chain, [end] if signs_itself(end)) => {
            unknown_issuer(chain)
        }
        Error::CaUsedAsEndEntity => {
            say(79, "invalid CA certificate: an authority's is shown as a client's own")
        }
        Error::UnknownIssuer => unknown_issuer(chain),
        _ => UNSPECIFIED,
    }
}

fn signs_itself(certificate: &[u8]) -> bool {
    signs(certificate, certificate)
}

/// Whether a certificate says that this one has signed it.
fn signs(issuer: &[u8], certificate: &[u8]) -> bool {
    let parsed = x509_parser::parse_x509_certificate;
    parsed(certificate)
        .is_ok_and(|(_, one)| parsed(issuer).is_ok_and(|(_, by)| one.issuer() == by.subject()))
}

/// Nobody we know has signed a chain: what OpenSSL says depends on how far it could follow it.
fn unknown_issuer(chain: &[CertificateDer<'_>]) -> Distrust {
    let [end, ..] = chain else { return UNSPECIFIED };
    if signs_itself(end) {
        return Distrust { code: 18, words: "self-signed certificate" };
    }
    let mut last = end;
    for _ in chain {
        match chain.iter().find(|issuer| *issuer != last && signs(issuer, last)) {
            Some(issuer) => last = issuer,
            None => break,
        }
    }
    if last == end {
        Distrust { code: 21, words: "unable to verify the first certificate" }
    } else if signs_itself(last) {
        Distrust { code: 19, words: "self-signed certificate in certificate chain" }
    } else {
        Distrust { code: 20, words: "unable to get local issuer certificate" }
    }
}
