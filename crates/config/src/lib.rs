//! nginx.conf, read, checked and typed.
#![forbid(unsafe_code)]
