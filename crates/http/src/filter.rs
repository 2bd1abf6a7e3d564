//! What happens to an answer on its way to the client, in nginx's order.

pub mod gzip;
pub mod range;
