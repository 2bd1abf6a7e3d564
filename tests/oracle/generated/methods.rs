//! Every method at every kind of location.

use super::{Seed, texts};
use crate::oracle::compare::{alike, echo};

const METHODS: [&str; 18] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "MKCOL", "PROPFIND",
    "LOCK", "COPY", "FOO", "get", "G-T", "G_T", "M1", "CONNECT",
];

const PATHS: [&str; 19] = [
    "/a.txt",
    "/",
    "/folder",
    "/folder/",
    "/missing",
    "/return",
    "/empty",
    "/up",
    "/except",
    "/gif",
    "/list/",
    "/page",
    "/named",
    "/internal",
    "/redirect",
    "/try/a.txt",
    "/try/missing",
    "/rewrite",
    "/if",
];

#[tokio::test]
async fn everywhere() {
    let backend = echo(&[]).await;
    let mut asks = Vec::new();
    for method in METHODS {
        for path in PATHS {
            asks.push(format!("{method} {path}"));
        }
    }
    asks.extend(Seed(8).asks(120, |seed| {
        let path = seed.one(&PATHS);
        let body = seed.one(&[
            " || abc",
            " | Transfer-Encoding: chunked || 3\\r\\nabc\\r\\n0\\r\\n\\r\\n",
            " | Content-Length: 0",
            " | Content-Length: 20000",
            " | Expect: 100-continue || abc",
        ]);
        let close = if body.contains("20000") { " | Connection: close" } else { "" };
        let body = if body.contains("20000") {
            format!(" || {}", "x".repeat(20_000))
        } else {
            body.to_owned()
        };
        format!(
            "{} {path}{close}{body}",
            seed.one(&["GET", "POST", "PUT", "DELETE", "FOO", "HEAD"])
        )
    }));
    assert_eq!(asks.len(), METHODS.len() * PATHS.len() + 120);
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            client_max_body_size 10k;
            location /return { return 200 "$request_method|$request_uri"; }
            location /empty { return 204; }
            location /up { proxy_pass http://127.0.0.1:8090; }
            location /except { limit_except GET POST { deny all; } try_files /a.txt =404; }
            location /gif { empty_gif; }
            location /list/ { autoindex on; alias html/folder/; }
            location /page { error_page 403 404 405 /a.txt; return 404; }
            location /named { error_page 404 405 = @named; return 405; }
            location @named { return 200 "named $request_method"; }
            location /internal { internal; }
            location /redirect { return 307 /a.txt; }
            location /try/ { try_files $uri /a.txt; }
            location /rewrite { rewrite ^ /a.txt last; }
            location /if { if ($request_method = POST) { return 403; } try_files /a.txt =404; }
        }"#,
    )
    .with_backend(8090, backend)
    .with_file("a.txt", "0123456789")
    .with_file("index.html", "INDEX")
    .with_file("folder/x", "X")
    .without_logs()
    .mainline()
    .answers(&texts(&asks))
    .await;
}
