//! URIs of any shape.

use super::{Seed, texts};
use crate::oracle::compare::alike;

const PIECES: &[&str] = &[
    "/",
    "/",
    "/",
    "//",
    "a",
    "b",
    "a",
    ".",
    "..",
    "/.",
    "/..",
    "/./",
    "/../",
    "%2e",
    "%2E%2e",
    "%2f",
    "%41",
    "%zz",
    "%",
    "%4",
    "%00",
    "?",
    "?x=1",
    "#",
    "&",
    "=",
    "+",
    "%20",
    ";",
    ":",
    "\\",
    "~",
    "ä",
    "%c3%a4",
    "%ff",
    "%25",
    "%0a",
    "%0d",
    "\"",
    "<",
    "*",
    "%3f",
    "%23",
    "%5c",
    "index.html",
    "folder",
    ".html",
    "{",
    "|",
    "^",
    "`",
    "'",
    "\u{7f}",
    "\t",
    "\u{1}",
    " ",
];

#[tokio::test]
async fn paths() {
    let asks = Seed(1).asks(300, |seed| {
        let path = seed.some(PIECES, 8);
        format!("{}/{path}", seed.one(&["", "", "", "HEAD ", "@8081 ", "@8081 "]))
    });
    alike(
        r#"
        server {
            listen 127.0.0.1:8080;
            location / { return 200 "$uri|$args|$is_args|$request_uri|$document_uri|$arg_x"; }
            location /a { return 200 "a: $uri|$args"; }
            location = /a { return 200 "exactly a: $uri|$args"; }
            location ^~ /b/ { return 200 "b: $uri|$args"; }
            location ~ ^/a/(.*)b$ { return 200 "regex: $1"; }
            location ~* \.HTML$ { return 200 "html: $uri"; }
        }
        server {
            listen 127.0.0.1:8081;
            root html;
            location /a/ { alias html/folder/; }
            location /b/ { try_files $uri $uri/ /index.html; }
        }"#,
    )
    .with_file("index.html", "INDEX")
    .with_file("a", "FILE A")
    .with_file("folder/index.html", "FOLDER")
    .with_file("folder/a", "A OF THE FOLDER")
    .with_file("folder/b/index.html", "B OF THE FOLDER")
    .with_file("ä", "UMLAUT")
    .answers(&texts(&asks))
    .await;
}

#[tokio::test]
async fn whole_lines() {
    let asks = Seed(2).asks(150, |seed| {
        let scheme = seed.one(&[
            "http://",
            "http://",
            "http://",
            "https://",
            "HTTP://",
            "ftp://",
            "http:/",
            "http:",
            "//",
            "",
            "h-t.t+p://",
            "1http://",
            "ht tp://",
        ]);
        let host = seed.one(&[
            "localhost",
            "localhost",
            "LOCALhost",
            "one.example",
            "one.example:8080",
            "one.example:",
            "one.example:x",
            "u@one.example",
            "[::1]",
            "[::1]:80",
            "[::1",
            "a_b",
            "a..b",
            "",
            ".",
            "a%41",
            "*",
            "one.example.",
        ]);
        let path =
            seed.one(&["", "/", "/a", "?x", "/a?b", "/../a", "//a", "#x", "/%2e%2e/a", "*", "a"]);
        let version = seed.one(&[
            "HTTP/1.1",
            "HTTP/1.1",
            "HTTP/1.1",
            "HTTP/1.0",
            "HTTP/1.2",
            "HTTP/2.0",
            "HTTP/1.10",
            "HTTP/01.1",
            "http/1.1",
            "HTTP/1.",
            "HTTP/.1",
            "HTTP/1.1 ",
            "HTTP/0.9",
        ]);
        let host_field =
            seed.one(&["", "", " | Host: one.example", " | Host: two.example", " | Host: -"]);
        format!(
            "{} {scheme}{host}{path} {version}{host_field}",
            seed.one(&["GET", "HEAD", "OPTIONS"])
        )
    });
    alike(
        r#"
        server { listen 127.0.0.1:8080; return 200 "default $host|$http_host|$uri|$request_uri|$server_name"; }
        server { listen 127.0.0.1:8080; server_name one.example; return 200 "one $host|$http_host|$uri|$scheme"; }
        server { listen 127.0.0.1:8080; server_name two.example; return 200 "two $host|$http_host|$uri"; }"#,
    )
    .answers(&texts(&asks))
    .await;
}
