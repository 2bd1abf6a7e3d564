//! Content from disk.
#![forbid(unsafe_code)]
