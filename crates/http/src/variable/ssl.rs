//! Variables of a handshake and of the certificate that a client has shown.

use std::sync::atomic::Ordering;
use std::time::SystemTime;

use bytes::Bytes;
use rustls::pki_types::CertificateDer;
use rustls::{ProtocolVersion, SignatureScheme};
use sha1::{Digest, Sha1};
use tidegate_config::variable::Builtin;
use x509_parser::certificate::X509Certificate;
use x509_parser::time::ASN1Time;

use crate::exchange::Exchange;
use crate::tls::session::Session;
use crate::tls::{distinguished_name, name};
use crate::uri::escape::{Escape, escape};

pub(super) fn value(ex: &Exchange<'_>, builtin: Builtin) -> Option<Bytes> {
    let session = ex.connection.tls.as_deref()?;
    // As in nginx, what is empty has no value.
    of_session(session, builtin).filter(|value| !value.is_empty())
}

fn of_session(session: &Session, builtin: Builtin) -> Option<Bytes> {
    match builtin {
        Builtin::SslAlpnProtocol => session.alpn.as_deref().map(Bytes::copy_from_slice),
        Builtin::SslCipher => session.cipher.map(|cipher| name::cipher(cipher).into()),
        Builtin::SslCiphers => {
            let names = session.offered_ciphers.iter().map(|cipher| name::cipher(*cipher));
            Some(names.collect::<Vec<_>>().join(":").into())
        }
        Builtin::SslCurve => session.curve.map(|curve| name::curve(curve).into()),
        // Over TLS 1.2 they count for nothing then, and nginx has forgotten them.
        Builtin::SslCurves
            if session.resumed && session.protocol == Some(ProtocolVersion::TLSv1_2) =>
        {
            None
        }
        Builtin::SslCurves => {
            let names = session.offered_curves.iter().map(|curve| name::curve(*curve));
            Some(names.collect::<Vec<_>>().join(":").into())
        }
        Builtin::SslEarlyData => session.early.load(Ordering::Relaxed).then(|| "1".into()),
        Builtin::SslProtocol => session.protocol.map(|version| name::protocol(version).into()),
        Builtin::SslServerName => {
            session.server_name.as_deref().map(|name| Bytes::copy_from_slice(name.as_bytes()))
        }
        Builtin::SslSessionId => Some(hexadecimal(session.number(), false).into()),
        Builtin::SslSigalg => session.signed.ours.map(|scheme| name::scheme(scheme).into()),
        Builtin::SslClientSigalg => session.signed.theirs.map(|scheme| name::scheme(scheme).into()),
        Builtin::SslSigalgs if session.resumed => None,
        Builtin::SslSigalgs => {
            let number = |scheme: &SignatureScheme| format!("0x{:04x}", u16::from(*scheme));
            let numbers = session.offered_schemes.iter().map(number);
            Some(numbers.collect::<Vec<_>>().join(":").into())
        }
        Builtin::SslSessionReused => Some(if session.resumed { "r" } else { "." }.into()),
        Builtin::SslClientVerify => Some(verdict(session)),
        _ => of_certificate(session.peer.first()?, builtin),
    }
}

/// nginx: `ngx_ssl_get_client_verify`
fn verdict(session: &Session) -> Bytes {
    if session.peer.is_empty() {
        return "NONE".into();
    }
    let words = session.distrust.map(|distrust| distrust.words).or(session.revoked);
    words.map_or_else(|| "SUCCESS".into(), |words| format!("FAILED:{words}").into())
}

fn of_certificate(certificate: &CertificateDer<'_>, builtin: Builtin) -> Option<Bytes> {
    match builtin {
        Builtin::SslClientRawCert => return Some(pem(certificate).into()),
        Builtin::SslClientCert => {
            return Some(pem(certificate).trim_end().replace('\n', "\n\t").into());
        }
        Builtin::SslClientEscapedCert => {
            let pem = pem(certificate);
            return Some(escape(pem.as_bytes(), Escape::Component).into_owned().into());
        }
        Builtin::SslClientFingerprint => {
            return Some(hexadecimal(&Sha1::digest(certificate), false).into());
        }
        _ => {}
    }
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    of_parsed(&parsed, builtin)
}

fn of_parsed(certificate: &X509Certificate<'_>, builtin: Builtin) -> Option<Bytes> {
    let validity = certificate.validity();
    Some(match builtin {
        Builtin::SslClientSDn => distinguished_name::text(certificate.subject()).into(),
        Builtin::SslClientIDn => distinguished_name::text(certificate.issuer()).into(),
        Builtin::SslClientSDnLegacy => distinguished_name::line(certificate.subject()).into(),
        Builtin::SslClientIDnLegacy => distinguished_name::line(certificate.issuer()).into(),
        Builtin::SslClientSerial => serial(certificate.raw_serial()).into(),
        Builtin::SslClientVStart => time(validity.not_before).into(),
        Builtin::SslClientVEnd => time(validity.not_after).into(),
        Builtin::SslClientVRemain => {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
            let left = validity.not_after.timestamp() - i64::try_from(now.as_secs()).ok()?;
            super::number(left.max(0) / 86_400)
        }
        _ => return None,
    })
}

fn pem(certificate: &[u8]) -> String {
    let base64 = crate::tls::pem::encode_base64(certificate);
    let mut out = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in base64.as_bytes().chunks(64) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    out.push_str("-----END CERTIFICATE-----\n");
    out
}

fn hexadecimal(bytes: &[u8], upper: bool) -> String {
    let digits = |byte: &u8| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
    bytes.iter().map(digits).collect()
}

/// OpenSSL writes a number, without the zero in front that keeps it positive.
fn serial(raw: &[u8]) -> String {
    match raw {
        [0, rest @ ..] if !rest.is_empty() => hexadecimal(rest, true),
        all => hexadecimal(all, true),
    }
}

/// `Nov  1 13:26:06 2026 GMT`
fn time(time: ASN1Time) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let at = time.to_datetime();
    let month = MONTHS.get(usize::from(u8::from(at.month())) - 1).copied().unwrap_or_default();
    let (hour, minute, second) = at.to_hms();
    format!("{month} {:2} {hour:02}:{minute:02}:{second:02} {} GMT", at.day(), at.year())
}
