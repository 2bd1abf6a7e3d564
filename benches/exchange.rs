//! A request under a configuration, for the benches of what is done for one.

// A bench that cannot begin has nobody to tell but who runs it.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
// Each bench takes what it needs.
#![allow(dead_code, unreachable_pub)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::BytesMut;
use tidegate_config::{Config, Options, load};
use tidegate_http::client::{Connection, Endpoint, NoBody};
use tidegate_http::exchange::Exchange;
use tidegate_http::head::{Parsed, Parser, RequestHead, Rules};
use tidegate_http::log::Logs;
use tidegate_http::log::file::LogFiles;

/// What a browser sends.
pub const BROWSER: &str = "GET /some/page?with=arguments HTTP/1.1\r\n\
    Host: www.example.com\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-US,en;q=0.5\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Referer: https://www.example.com/\r\n\
    Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n\
    Connection: keep-alive\r\n\
    Upgrade-Insecure-Requests: 1\r\n\r\n";

/// nginx's defaults.
pub const RULES: Rules = Rules {
    buffer_size: 1024,
    large_buffers: 4,
    large_buffer_size: 8192,
    max_headers: 1000,
    ignore_invalid: true,
    underscores: false,
    merge_slashes: true,
};

/// Loads a configuration with these lines in its `http` block.
pub fn configuration(lines: &str) -> Config {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("nginx.conf");
    fs::write(&path, format!("events {{}} http {{ {lines} }}")).expect("a file");
    let options = Options { prefix: folder.path().to_path_buf(), ..Options::default() };
    let loaded = load(&path, &options);
    let messages = loaded.messages();
    loaded.config.unwrap_or_else(|| panic!("{messages}"))
}

/// Parses a request without a body.
pub fn head(text: &str) -> Box<RequestHead> {
    match Parser::new().parse(&mut BytesMut::from(text), &RULES) {
        Parsed::Complete(head) => head,
        other => panic!("{other:?}"),
    }
}

/// Goes on with a request for the first server, whose logs go to `log`.
pub fn with<R>(
    config: &Config,
    text: &str,
    log: &Path,
    run: impl FnOnce(&mut Exchange<'_>) -> R,
) -> R {
    let files = LogFiles::open(&[log.to_path_buf()], None).expect("a log");
    let logs = Logs::new(config, Arc::new(files));
    let end = |text: &str| Endpoint::Ip(text.parse().expect("an address"));
    let connection = Connection::new(1, end("192.0.2.1:5000"), end("192.0.2.2:80"));
    let (http, server) = (&config.http, &config.http.servers[0]);
    let body = Box::new(NoBody);
    run(&mut Exchange::new((http, &logs), &connection, server, head(text), body))
}
