//! TLS: what connections to clients and to upstreams have in common.

pub mod any_certificate;
pub mod certificate;
mod der;
pub mod distinguished_name;
pub mod fault;
pub mod key;
pub mod load;
pub mod name;
pub mod named;
pub mod ocsp;
pub mod pem;
pub mod provider;
pub mod session;
pub mod signed;
pub mod subject;
pub mod trust;
