//! The steps of a request before its answer, in nginx's order.

pub mod access;
pub mod realip;
pub mod rewrite;
