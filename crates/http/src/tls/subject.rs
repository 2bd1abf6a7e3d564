//! For whom a certificate is.

use std::net::IpAddr;

use rustls::pki_types::{CertificateDer, ServerName};
use webpki::EndEntityCert;
use x509_parser::extensions::GeneralName;

/// Whether a certificate is for this host: by its alternative names, and, where it has none, by its
/// common name.
pub fn is_for(certificate: &CertificateDer<'_>, host: &str) -> bool {
    let Ok(name) = ServerName::try_from(host) else { return false };
    let parsed = EndEntityCert::try_from(certificate);
    if parsed.is_ok_and(|parsed| parsed.verify_is_valid_for_subject_name(&name).is_ok()) {
        return true;
    }
    let Ok((_, parsed)) = x509_parser::parse_x509_certificate(certificate) else { return false };
    let named = parsed.subject_alternative_name().ok().flatten().is_some();
    let mut common = parsed.subject().iter_common_name().filter_map(|name| name.as_str().ok());
    let matches = |common: &str| {
        let rest = common.strip_prefix('*').filter(|rest| rest.starts_with('.'));
        let below = |rest: &str| {
            host.split_once('.')
                .is_some_and(|(_, above)| above.eq_ignore_ascii_case(rest.trim_start_matches('.')))
        };
        common.eq_ignore_ascii_case(host) || rest.is_some_and(below)
    };
    !named && common.any(matches)
}

/// The hosts that a certificate is for, as it is judged by [`is_for`].
pub fn hosts(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, parsed)) = x509_parser::parse_x509_certificate(certificate) else {
        return Vec::new();
    };
    let host = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(octets) => address(octets),
        _ => None,
    };
    let named = parsed.subject_alternative_name().ok().flatten();
    let common = parsed.subject().iter_common_name();
    named.map_or_else(
        || common.filter_map(|name| name.as_str().ok()).map(str::to_owned).collect(),
        |names| names.value.general_names.iter().filter_map(host).collect(),
    )
}

fn address(octets: &[u8]) -> Option<String> {
    let address = <[u8; 4]>::try_from(octets)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from));
    address.ok().map(|address| address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(names: &[&str], common: &str) -> CertificateDer<'static> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = rcgen::CertificateParams::new(names).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, common);
        params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    #[test]
    fn the_common_name_counts_where_there_is_no_other() {
        let one = made(&["a.test", "*.b.test", "127.0.0.1", "::1"], "c.test");
        assert_eq!(hosts(&one), ["a.test", "*.b.test", "127.0.0.1", "::1"]);
        assert!(is_for(&one, "a.test") && is_for(&one, "x.b.test") && is_for(&one, "127.0.0.1"));
        assert!(!is_for(&one, "c.test") && !is_for(&one, "b.test"));
        let one = made(&[], "*.c.test");
        assert_eq!(hosts(&one), ["*.c.test"]);
        assert!(is_for(&one, "X.C.test") && !is_for(&one, "c.test"));
    }
}
