//! Hosts of any shape.

use super::{Seed, texts};
use crate::oracle::compare::alike;

const PIECES: &[&str] = &[
    "localhost",
    "one",
    "two",
    "example",
    "www",
    ".",
    ".",
    ".",
    "..",
    "-",
    "_",
    "*",
    ":",
    ":80",
    ":8080",
    ":x",
    "%41",
    "@",
    "/",
    "\\",
    "[",
    "]",
    "::1",
    "1.2.3.4",
    "ä",
    "xn--4ca",
    ",",
    "\"",
    "\t",
    "\u{1}",
    "ONE",
    "a b",
];

#[tokio::test]
async fn by_name() {
    let asks = Seed(7).asks(250, |seed| {
        let host = match seed.below(3) {
            0 => seed.some(PIECES, 5),
            1 => format!(
                "{}{}",
                seed.one(&[
                    "one.example",
                    "www.example",
                    "a.b.two.example",
                    "two.example",
                    "x.three",
                    "rex.example"
                ]),
                seed.one(&["", ".", ":80", ":", "..", ":x", " ", ".:80"])
            ),
            _ => seed
                .one(&[
                    "ONE.example",
                    ".one.example",
                    "one..example",
                    "[::1]",
                    "[::1]:80",
                    "[::1",
                    "::1",
                    "three",
                    "x.three.four",
                    "three.",
                    "-",
                    "a_b.two.example",
                    "re9.example",
                    "re.example",
                ])
                .to_owned(),
        };
        let line =
            seed.one(&["/", "/", "/", "HEAD /", "/ HTTP/1.0", "GET http://one.example/ HTTP/1.1"]);
        let more = seed.one(&["", "", "", "", " | Host: second"]);
        format!("{line} | Host: {host}{more}")
    });
    alike(
        r#"
        server { listen 127.0.0.1:8080; return 200 "default|$host|$http_host|$server_name"; }
        server { listen 127.0.0.1:8080; server_name one.example; return 200 "one|$host|$server_name"; }
        server { listen 127.0.0.1:8080; server_name www.*; return 200 "www|$host|$server_name"; }
        server { listen 127.0.0.1:8080; server_name .two.example; return 200 "two|$host|$server_name"; }
        server { listen 127.0.0.1:8080; server_name three *.three; return 301 /x; }
        server { listen 127.0.0.1:8080; server_name ~^re(?<digit>\d)\.example$; return 200 "re|$digit|$host"; }
        server { listen 127.0.0.1:8080; server_name ""; return 200 "nameless|$host"; }"#,
    )
    .answers(&texts(&asks))
    .await;
}
