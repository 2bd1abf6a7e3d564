//! What stands in an `upstream` block, a noun a file.

pub mod balance;
pub mod keepalive;
pub mod queue;
pub mod server;
pub mod sticky;
