//! nginx.conf, read, checked and typed.
#![forbid(unsafe_code)]

pub mod diagnostic;
pub mod source;
pub mod syntax;
pub mod value;
