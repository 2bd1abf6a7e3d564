//! Content from upstreams.
#![forbid(unsafe_code)]

pub mod connect;
pub mod fault;
pub mod forward;
pub mod health_check;
pub mod protocol;
pub mod stream;
pub mod upstream;

mod answer;
mod ask;
mod brake;
mod buffering;
mod content;
mod cookie;
mod destination;
mod diagnosis;
mod evaluate;
mod field;
mod http2;
mod link;
mod live;
mod outbox;
mod outgoing;
mod redirect;
mod request;
mod response;
pub mod secure;
mod silence;
mod store;
mod target;
mod temp_file;

pub use forward::{Plan, plan, respond};
pub use upstream::Upstreams;
