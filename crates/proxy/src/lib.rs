//! Content from upstreams.
#![forbid(unsafe_code)]
