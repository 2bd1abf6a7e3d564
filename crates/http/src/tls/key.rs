//! Private keys, in all forms in which they are written: PKCS#8, PKCS#1, SEC1, encrypted or not.

mod locked;

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use rustls::sign::SigningKey;

use super::fault::Fault;
use super::pem::{self, Section};

/// The first key of a PEM text; `passwords` are tried in turn where it is encrypted.
pub fn read(text: &[u8], passwords: &[Vec<u8>]) -> Result<Arc<dyn SigningKey>, Fault> {
    let sections = pem::sections(text)?;
    let section = sections.into_iter().find(|section| section.label.ends_with("PRIVATE KEY"));
    let section = section.ok_or(Fault::MissingKey)?;
    let key = opened(section, passwords)?;
    any_supported_type(&key).map_err(|error| Fault::Key(error.to_string()))
}

/// The passwords of a file, one a line (nginx: `ngx_ssl_read_password_file`).
pub fn passwords(text: &[u8]) -> Vec<Vec<u8>> {
    let lines = text.split(|byte| *byte == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

fn opened(section: Section, passwords: &[Vec<u8>]) -> Result<PrivateKeyDer<'static>, Fault> {
    if section.label == "ENCRYPTED PRIVATE KEY" {
        let plain = locked::pkcs8(&section.content, passwords)?;
        return Ok(PrivatePkcs8KeyDer::from(plain).into());
    }
    let content = match &section.dek_info {
        Some(how) => locked::traditional(how, &section.content, passwords)?,
        None => section.content,
    };
    Ok(match section.label.as_str() {
        "PRIVATE KEY" => PrivatePkcs8KeyDer::from(content).into(),
        "RSA PRIVATE KEY" => PrivatePkcs1KeyDer::from(content).into(),
        "EC PRIVATE KEY" => PrivateSec1KeyDer::from(content).into(),
        label => return Err(Fault::Key(format!("a {label} is not spoken"))),
    })
}
