//! The steps of a request before its answer, in nginx's order.

pub mod access;
mod auth_basic;
mod auth_request;
pub mod realip;
pub mod rewrite;
