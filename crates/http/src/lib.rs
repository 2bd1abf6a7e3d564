//! One request's life, without files or upstreams.
#![forbid(unsafe_code)]

pub mod body;
pub mod chunked;
pub mod head;
pub mod headers;
pub mod response;
pub mod uri;
