//! Content from upstreams.
#![forbid(unsafe_code)]

pub mod connect;
pub mod fault;
pub mod protocol;
pub mod stream;
pub mod upstream;
