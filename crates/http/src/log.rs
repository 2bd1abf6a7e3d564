//! What is told of requests: a line each, and their faults.

pub mod writer;
