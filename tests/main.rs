//! End to end: the real binary, as a client sees it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a test may
#![allow(unreachable_pub)] // nothing here is seen from outside
#![allow(clippy::format_push_string)] // the shortest here
#![allow(clippy::too_many_lines, clippy::needless_raw_string_hashes)] // tables of configurations
#![allow(clippy::doc_markdown)] // directives are no code in prose

mod access;
mod apps;
mod auth_basic;
mod auth_delay;
mod autoindex;
mod balance;
mod bind;
mod brotli;
mod buffering;
mod chromium;
mod cli;
mod client_body;
mod client_header;
mod corpus;
mod crowd;
mod dav;
mod demo;
mod diagnostic;
mod disk_full;
mod early_hints;
mod error_log;
mod explain;
mod fault;
mod fmt;
mod forward_ssl;
mod gzip;
mod harness;
mod health_check;
mod http2;
mod large;
mod limit_conn;
mod limit_rate;
mod limit_req;
mod limits;
mod lingering;
mod lint;
mod listen;
mod log;
mod lost_lines;
mod master;
mod mirror;
mod mutation;
mod oracle;
mod post_action;
mod process;
mod proxy;
mod proxy_protocol;
mod reload;
mod resolver;
mod root;
mod seeds;
mod service;
mod shortage;
mod signal;
mod ssl;
mod state;
mod store;
mod storm;
mod stub_status;
mod takeover;
mod terminal;
mod tidy;
mod types;
mod upgrade;
mod upstream;
mod upstream_error;
mod upstream_faults;
mod upstream_wait;
mod userid;
mod uwsgi;
