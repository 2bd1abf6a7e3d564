//! types, default_type and charset: what a file is said to be.

use super::compare::alike;

#[tokio::test]
async fn types_by_extension() {
    alike(
        r#"
        types { text/html html htm; text/css css; text/plain txt; application/json json; }
        default_type application/octet-stream;
        server {
            listen 127.0.0.1:8080;
            root html;
            location /own/ { types { text/x-own css; } }
            location /none/ { types { } default_type text/x-none; }
            location /default/ { default_type text/x-default; }
            location /empty/ { default_type ""; }
            location /return { default_type text/html; return 200 "x"; }
            location /returned.css { return 200 "x"; }
        }"#,
    )
    .with_file("a.html", "h")
    .with_file("a.HTM", "h")
    .with_file("a.css", "c")
    .with_file("a.tar.json", "j")
    .with_file("noextension", "n")
    .with_file(".css", "dot")
    .with_file("dir.css/file", "f")
    .with_file("own/a.css", "c")
    .with_file("own/a.html", "h")
    .with_file("none/a.css", "c")
    .with_file("default/x.unknown", "u")
    .with_file("empty/x.unknown", "u")
    .with_file("empty/a.css", "c")
    .answers(&[
        "/a.html",
        "/a.HTM",
        "/a.css",
        "/a.tar.json",
        "/noextension",
        "/.css",
        "/dir.css/file",
        "/own/a.css",
        "/own/a.html",
        "/none/a.css",
        "/default/x.unknown",
        "/empty/x.unknown",
        "/empty/a.css",
        "/return",
        "/returned.css",
        "/missing.css",
    ])
    .await;
}

#[tokio::test]
async fn charsets() {
    alike(
        r#"
        types { text/html html; text/css css; text/plain txt; image/png png;
                application/javascript js; application/json json; text/xml xml; }
        server {
            listen 127.0.0.1:8080;
            root html;
            charset utf-8;
            location /off/ { charset off; }
            location /koi/ { charset koi8-r; }
            location /some/ { charset_types text/css application/json; }
            location /all/ { charset_types *; }
            location /text { return 200 "x"; }
            location /json { default_type application/json; return 200 "{}"; }
            location /said { default_type "text/html; charset=x"; return 200 "x"; }
            location /error { return 404; }
            location /moved { return 301 /x; }
            location /variable { charset $arg_c; return 200 "x"; }
        }"#,
    )
    .with_file("a.html", "h")
    .with_file("a.css", "c")
    .with_file("a.txt", "t")
    .with_file("a.png", "p")
    .with_file("a.js", "j")
    .with_file("a.json", "j")
    .with_file("a.xml", "x")
    .with_file("off/a.html", "h")
    .with_file("koi/a.html", "h")
    .with_file("some/a.css", "c")
    .with_file("some/a.json", "j")
    .with_file("some/a.html", "h")
    .with_file("all/a.png", "p")
    .without_logs()
    .answers(&[
        "/a.html",
        "/a.css",
        "/a.txt",
        "/a.png",
        "/a.js",
        "/a.json",
        "/a.xml",
        "/off/a.html",
        "/koi/a.html",
        "/some/a.css",
        "/some/a.json",
        "/some/a.html",
        "/all/a.png",
        "/text",
        "/json",
        "/said",
        "/error",
        "/moved",
        "/variable?c=latin1 | Connection: close",
        "/variable",
        "HEAD /a.html",
        "/a.html | Range: bytes=0-0",
    ])
    .await;
}
