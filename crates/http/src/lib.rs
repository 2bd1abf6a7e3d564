//! One request's life, without files or upstreams.
#![forbid(unsafe_code)]

pub mod address;
pub mod answer_head;
pub mod body;
pub mod boxed;
mod captured;
pub mod chunked;
pub mod client;
pub mod date;
pub mod error_page;
pub mod exchange;
pub mod filter;
pub mod head;
pub mod headers;
pub mod limits;
pub mod location;
pub mod log;
pub mod pace;
pub mod phase;
pub mod proxy_protocol;
pub mod receive;
pub mod record;
pub mod redirect;
pub mod response;
pub mod root;
pub mod scan;
pub mod server_tokens;
pub mod shortage;
pub mod status;
pub mod stop;
pub mod stored;
pub mod subrequest;
pub mod tasks;
pub mod timer;
pub mod tls;
pub mod trace;
pub mod types;
pub mod uri;
pub mod user_agent;
pub mod variable;
pub mod zone;

#[cfg(test)]
mod testing;
