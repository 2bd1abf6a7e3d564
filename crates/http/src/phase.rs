//! The steps of a request before its answer, in nginx's order.

pub mod access;
mod auth_basic;
pub mod realip;
pub mod rewrite;
