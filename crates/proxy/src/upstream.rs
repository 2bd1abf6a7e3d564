//! Groups of servers, and which of them is asked next.

pub mod group;
pub mod keepalive;
pub mod resolve;
pub mod round_robin;
