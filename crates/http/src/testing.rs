//! For tests: a request under a configuration.

use std::fs;
use std::sync::Arc;

use bytes::BytesMut;
use tidegate_config::{Options, load};

use crate::client::{Connection, Endpoint, NoBody};
use crate::exchange::Exchange;
use crate::head::{Parsed, Parser, Rules};
use crate::location;
use crate::log::Logs;
use crate::log::file::LogFiles;
use crate::phase::{access, rewrite};
use crate::stop::Stop;

/// Runs a test within a request for a line such as `GET /a?b`, under a server with these lines.
pub(crate) fn with<R>(server: &str, line: &str, run: impl FnOnce(&mut Exchange<'_>) -> R) -> R {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nginx.conf");
    let text = format!("events {{}} error_log stderr; http {{ access_log off; {server} }}");
    fs::write(&path, text).unwrap();
    let options = Options { prefix: folder.path().to_path_buf(), ..Options::default() };
    let loaded = load(&path, &options);
    let messages = loaded.messages();
    let config = loaded.config.unwrap_or_else(|| panic!("{messages}"));
    let logs = Logs::new(&config, Arc::new(LogFiles::default()));
    let rules = Rules {
        buffer_size: 1024,
        large_buffers: 4,
        large_buffer_size: 8192,
        max_headers: 1000,
        ignore_invalid: true,
        underscores: false,
        merge_slashes: true,
    };
    let mut buffer = BytesMut::from(format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
    let Parsed::Complete(head) = Parser::new().parse(&mut buffer, &rules) else {
        panic!("{line} is no request")
    };
    let end = |text: &str| Endpoint::Ip(text.parse().unwrap());
    let connection = Connection::new(1, end("192.0.2.1:5000"), end("192.0.2.2:80"));
    let server = &config.http.servers[0];
    let mut ex = Exchange::new((&config.http, &logs), &connection, server, head, Box::new(NoBody));
    run(&mut ex)
}

/// Runs the phases up to the content; the text of a `return`, or what else became of it.
pub(crate) fn outcome(server: &str, line: &str) -> String {
    with(server, line, |ex| match phases(ex) {
        Ok(()) => format!("content {}", String::from_utf8_lossy(&ex.uri)),
        Err(Stop::Status(status)) => format!("status {status}"),
        Err(Stop::Response(response)) => match response.body {
            crate::body::Body::Bytes(text) => String::from_utf8_lossy(&text).into_owned(),
            body => format!("{body:?}"),
        },
        Err(Stop::Special(response)) => {
            let location = response.location.unwrap_or_default();
            format!("{} {}", response.status, String::from_utf8_lossy(&location))
        }
        Err(other) => format!("{other:?}"),
    })
}

fn phases(ex: &mut Exchange<'_>) -> Result<(), Stop> {
    rewrite::server(ex)?;
    location::find(ex)?;
    while rewrite::location(ex)? {
        location::find(ex)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(access::run(ex))
}
