//! Certificates, keys and authorities that a configuration names, read with a fault's place and mend.

use rustls::sign::CertifiedKey;
use tidegate_config::diagnostic::Diagnostic;
use tidegate_config::files::Files;
use tidegate_config::value::pem::{Pem, PemFile, PemSource};

use super::fault::Fault;
use super::trust::Trust;
use super::{certificate, key};

/// A certificate with its chain and its key, which no variables name.
pub fn certified(
    (certificate, key): (&Pem, &Pem),
    passwords: &[Vec<u8>],
    files: &Files,
) -> Result<CertifiedKey, Diagnostic> {
    let chain = bytes(certificate, files).and_then(|text| certificate::chain(&text));
    let chain = chain.map_err(|fault| told("certificate", certificate, &fault))?;
    let signer = bytes(key, files).and_then(|text| key::read(&text, passwords));
    let signer = signer.map_err(|fault| told("certificate key", key, &fault))?;
    certificate::certified(chain, signer).map_err(|fault| told("certificate key", key, &fault))
}

/// The passwords of a file, where one is named.
pub fn passwords(file: Option<&PemFile>, files: &Files) -> Result<Vec<Vec<u8>>, Diagnostic> {
    Ok(match file {
        Some(file) => key::passwords(&file_bytes(file, "ssl_password_file", files)?),
        None => Vec::new(),
    })
}

/// Adds the authorities of a file to those that are trusted.
pub fn authorities(trust: &mut Trust, file: &PemFile, files: &Files) -> Result<(), Diagnostic> {
    let added = files.read(&file.path).map_err(Fault::from).and_then(|text| trust.add(&text));
    added.map_err(|fault| {
        let path = file.path.display();
        let text = format!("cannot load certificate \"{path}\": {fault}");
        Diagnostic::emerg(text).at(file.span).hint(fault.mend()).absent(fault.is_absent())
    })
}

/// Adds what authorities have taken back.
pub fn lists(trust: &mut Trust, file: &PemFile, files: &Files) -> Result<(), Diagnostic> {
    let added = files.read(&file.path).map_err(Fault::from);
    added.and_then(|text| trust.add_lists(&text)).map_err(|fault| {
        let path = file.path.display();
        let text = format!("cannot load CRL \"{path}\": {fault}");
        Diagnostic::emerg(text).at(file.span).hint(fault.mend()).absent(fault.is_absent())
    })
}

/// The bytes of a file that a directive names.
pub fn file_bytes(file: &PemFile, directive: &str, files: &Files) -> Result<Vec<u8>, Diagnostic> {
    let read = files.read(&file.path).map(|bytes| bytes.to_vec());
    read.map_err(|error| {
        let path = file.path.display();
        let text = format!("open() \"{path}\" failed ({error}) for \"{directive}\"");
        let fault = Fault::from(error);
        Diagnostic::emerg(text).at(file.span).hint(fault.mend()).absent(fault.is_absent())
    })
}

fn bytes(pem: &Pem, files: &Files) -> Result<Vec<u8>, Fault> {
    match &pem.from {
        PemSource::File(path) => Ok(files.read(path)?.to_vec()),
        PemSource::Data(text) => Ok(text.clone().into_bytes()),
        PemSource::Variable(..) => Err(Fault::Invalid("variables are not known here".to_owned())),
    }
}

fn told(what: &str, pem: &Pem, fault: &Fault) -> Diagnostic {
    let path = match &pem.from {
        PemSource::File(path) => path.display().to_string(),
        _ => pem.text.chars().take(40).collect(),
    };
    let text = format!("cannot load {what} \"{path}\": {fault}");
    Diagnostic::emerg(text).at(pem.span).hint(fault.mend()).absent(fault.is_absent())
}
