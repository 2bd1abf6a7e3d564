//! What is wrong with a certificate or a key, in nginx's words, with the mend.

use std::io;

use thiserror::Error;

/// Why a certificate, a key or a list cannot be used.
#[derive(Debug, Error)]
pub enum Fault {
    /// The file cannot be read.
    #[error("BIO_new_file() failed ({0})")]
    Unreadable(#[from] io::Error),
    /// There is no certificate in it.
    #[error(
        "PEM_read_bio_X509_AUX() failed (SSL: error:0480006C:PEM routines::no start line:Expecting: \
         TRUSTED CERTIFICATE)"
    )]
    MissingCertificate,
    /// There is no key in it.
    #[error(
        "PEM_read_bio_PrivateKey() failed (SSL: error:0480006C:PEM routines::no start line:\
         Expecting: ANY PRIVATE KEY)"
    )]
    MissingKey,
    /// There is no list in it.
    #[error(
        "X509_LOOKUP_load_file() failed (SSL: error:05880088:x509 certificate routines::no \
         certificate or crl found)"
    )]
    MissingList,
    /// A section of it is damaged.
    #[error("PEM_read_bio() failed (SSL: error:04800064:PEM routines::bad base64 decode)")]
    Damaged,
    /// What it holds is no certificate or list.
    #[error("{0}")]
    Invalid(String),
    /// What it holds is no key that can be used.
    #[error("PEM_read_bio_PrivateKey() failed ({0})")]
    Key(String),
    /// The key is encrypted in a way that is not known.
    #[error("PEM_read_bio_PrivateKey() failed ({0})")]
    Lock(String),
    /// The key belongs to another certificate.
    #[error(
        "SSL_CTX_use_PrivateKey() failed (SSL: error:05800074:x509 certificate routines::key values \
         mismatch)"
    )]
    Mismatch,
    /// The key is encrypted, and no password opens it.
    #[error(
        "PEM_read_bio_PrivateKey() failed (SSL: error:1C800064:Provider routines::bad decrypt)"
    )]
    Locked,
}

impl Fault {
    /// Whether there is no such file.
    pub fn is_absent(&self) -> bool {
        use io::ErrorKind::{NotADirectory, NotFound};
        matches!(self, Self::Unreadable(error) if matches!(error.kind(), NotFound | NotADirectory))
    }

    /// What to do about it.
    pub fn mend(&self) -> &'static str {
        match self {
            Self::Unreadable(error) if error.kind() == io::ErrorKind::NotFound => {
                "a relative path begins at the folder of the configuration; is it spelled right?"
            }
            Self::Unreadable(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                "who starts the server must be allowed to read it"
            }
            Self::Unreadable(_) => "it must be a file that can be read",
            Self::MissingCertificate | Self::MissingKey => {
                "the file must be PEM text; are the paths of certificate and key exchanged?"
            }
            Self::MissingList => "the file must be PEM text, or one list in DER",
            Self::Damaged | Self::Invalid(_) => "the file is damaged, or of another kind",
            Self::Key(_) => {
                "use an RSA key of 2048 to 8192 bits, ECDSA on P-256 or P-384, or Ed25519"
            }
            Self::Lock(_) => {
                "encrypt it anew: openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD.key -out NEW.key"
            }
            Self::Mismatch => {
                "the key must be that of the first certificate in the file of certificates"
            }
            Self::Locked => "write its password into a file, and name that: ssl_password_file",
        }
    }
}
