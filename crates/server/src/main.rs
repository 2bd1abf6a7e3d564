//! An nginx-compatible reverse proxy and static file server.
fn main() {}
