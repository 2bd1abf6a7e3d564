//! Conditional requests of any shape.

use super::{Seed, texts};
use crate::oracle::compare::alike;

const TAGS: &[&str] = &[
    "\"65937d25-a\"",
    "\"65937d25-a\"",
    "W/\"65937d25-a\"",
    "\"x\"",
    "*",
    "\"x\", \"65937d25-a\"",
    "\"x\",W/\"65937d25-a\"",
    " \"65937d25-a\" ,\"y\"",
    "65937d25-a",
    "\"65937d25-a",
    "x,",
    "",
    ",",
    "\"a,b\", \"65937d25-a\"",
    "w/\"65937d25-a\"",
    "\"65937d25-A\"",
    "*, \"x\"",
];

const TIMES: &[&str] = &[
    "Tue, 02 Jan 2024 03:04:05 GMT",
    "Tue, 02 Jan 2024 03:04:05 GMT",
    "Tue, 02 Jan 2024 03:04:04 GMT",
    "Tue, 02 Jan 2024 03:04:06 GMT",
    "Tuesday, 02-Jan-24 03:04:05 GMT",
    "Tue Jan  2 03:04:05 2024",
    "Tue Jan 2 03:04:05 2024",
    "02 Jan 2024 03:04:05 GMT",
    "Tue, 2 Jan 2024 03:04:05 GMT",
    "Tue, 02 Jan 2024 03:04:05 +0000",
    "Tue, 02 Jan 2024 03:04:05",
    "Mon, 02 Jan 2024 03:04:05 GMT",
    "Tue, 02 jan 2024 03:04:05 GMT",
    "Tue, 30 Feb 2024 03:04:05 GMT",
    "Tue, 02 Jan 2024 24:04:05 GMT",
    "Tue, 02 Jan 2024 03:04:60 GMT",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "Thu, 01 Jan 1969 00:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "rubbish",
    "",
    "0",
    "1704164645",
    "Tue, 02 Jan 2024 03:04:05 GMT x",
    "Tuesday, 02-Jan-94 03:04:05 GMT",
    "Thu, 29 Feb 2024 00:00:00 GMT",
    "Wed, 29 Feb 2023 00:00:00 GMT",
];

#[tokio::test]
async fn together() {
    let asks = Seed(4).asks(300, |seed| {
        let path = seed.one(&[
            "/a.txt",
            "/a.txt",
            "HEAD /a.txt",
            "/before/a.txt",
            "/off/a.txt",
            "/noetag/a.txt",
            "/text",
            "/missing",
            "/gzip/a.txt",
            "POST /a.txt",
        ]);
        let mut ask = format!("{path} | Accept-Encoding: gzip | Connection: close");
        for _ in 0..=seed.below(3) {
            let name = seed.one(&[
                "If-None-Match",
                "If-Match",
                "If-Modified-Since",
                "If-Unmodified-Since",
                "If-Range",
                "Range",
            ]);
            let value = match name {
                "Range" => seed.one(&["bytes=0-1", "bytes=5-", "bytes=20-", "bytes=0-0,2-2"]),
                "If-Range" if ask.len() % 2 == 0 => seed.one(TAGS),
                "If-None-Match" | "If-Match" => seed.one(TAGS),
                _ => seed.one(TIMES),
            };
            ask += &format!(" | {name}: {value}");
        }
        ask
    });
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            location /before/ { if_modified_since before; }
            location /off/ { if_modified_since off; }
            location /noetag/ { etag off; }
            location /gzip/ { gzip on; gzip_min_length 1; gzip_types *; }
            location /text { return 200 "0123456789"; }
        }"#,
    )
    .with_file("a.txt", "0123456789")
    .with_file("before/a.txt", "0123456789")
    .with_file("off/a.txt", "0123456789")
    .with_file("noetag/a.txt", "0123456789")
    .with_file("gzip/a.txt", "0123456789")
    .without_logs()
    .answers(&texts(&asks))
    .await;
}
