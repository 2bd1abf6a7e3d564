//! ETag, Last-Modified and the conditions on them.

use super::compare::alike;

const CONF: &str = r#"server {
    listen 127.0.0.1:8080;
    root html;
    location /before/ { if_modified_since before; }
    location /off/ { if_modified_since off; }
    location /noetag/ { etag off; }
}"#;

#[tokio::test]
async fn conditions() {
    // The file was changed on Tue, 02 Jan 2024 03:04:05 GMT and has 10 bytes.
    alike(CONF)
        .with_file("a.txt", "0123456789")
        .with_file("before/a.txt", "0123456789")
        .with_file("off/a.txt", "0123456789")
        .with_file("noetag/a.txt", "0123456789")
        .with_file("empty.txt", "")
        .without_logs()
        .answers(&[
            // After a 412 nginx closes the connection, although it has said that it keeps it.
            "/a.txt",
            "/empty.txt",
            "HEAD /a.txt",
            "/noetag/a.txt",
            "/a.txt | If-Modified-Since: Tue, 02 Jan 2024 03:04:05 GMT",
            "/a.txt | If-Modified-Since: Tue, 02 Jan 2024 03:04:06 GMT",
            "/a.txt | If-Modified-Since: Tue, 02 Jan 2024 03:04:04 GMT",
            "/a.txt | If-Modified-Since: Tuesday, 02-Jan-24 03:04:05 GMT",
            "/a.txt | If-Modified-Since: Tue Jan  2 03:04:05 2024",
            "/a.txt | If-Modified-Since: rubbish",
            "/a.txt | If-Modified-Since: Tue, 02 Jan 2024 03:04:05 GMT; length=10",
            "HEAD /a.txt | If-Modified-Since: Tue, 02 Jan 2024 03:04:05 GMT",
            "/before/a.txt | If-Modified-Since: Wed, 03 Jan 2024 03:04:05 GMT",
            "/before/a.txt | If-Modified-Since: Mon, 01 Jan 2024 03:04:05 GMT",
            "/off/a.txt | If-Modified-Since: Tue, 02 Jan 2024 03:04:05 GMT",
            "/off/a.txt | If-None-Match: \"65937d25-a\"",
            "/a.txt | If-None-Match: \"65937d25-a\"",
            "/a.txt | If-None-Match: W/\"65937d25-a\"",
            "/a.txt | If-None-Match: \"x\", \"65937d25-a\"",
            "/a.txt | If-None-Match: \"x\"",
            "/a.txt | If-None-Match: *",
            "/a.txt | If-None-Match: 65937d25-a",
            "/a.txt | If-None-Match: \"x\" | If-Modified-Since: Tue, 02 Jan 2024 03:04:05 GMT",
            "/a.txt | If-None-Match: \"65937d25-a\" | If-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT",
            "/noetag/a.txt | If-None-Match: \"65937d25-a\"",
            "/a.txt | If-Match: \"65937d25-a\"",
            "/a.txt | If-Match: W/\"65937d25-a\" | Connection: close",
            "/a.txt | If-Match: \"x\" | Connection: close",
            "/a.txt | If-Match: *",
            "/a.txt | If-Unmodified-Since: Tue, 02 Jan 2024 03:04:05 GMT",
            "/a.txt | If-Unmodified-Since: Tue, 02 Jan 2024 03:04:04 GMT | Connection: close",
            "/a.txt | If-Unmodified-Since: rubbish | Connection: close",
            "/a.txt | If-Match: \"x\" | If-None-Match: \"65937d25-a\" | Connection: close",
            "/missing | If-None-Match: *",
        ])
        .await;
}

#[tokio::test]
async fn every_condition_with_every_other() {
    let tags =
        ["", "\"65937d25-a\"", "W/\"65937d25-a\"", "\"x\", \"65937d25-a\"", "*", "\"x\"", "x,"];
    let times = [
        "",
        "Tue, 02 Jan 2024 03:04:05 GMT",
        "Tue, 02 Jan 2024 03:04:04 GMT",
        "Wed, 03 Jan 2024 03:04:05 GMT",
        "rubbish",
    ];
    let mut asks = Vec::new();
    for method in ["GET", "HEAD"] {
        for (first, second) in [
            ("If-None-Match", "If-Modified-Since"),
            ("If-Match", "If-Unmodified-Since"),
            ("If-None-Match", "If-Unmodified-Since"),
            ("If-Match", "If-Modified-Since"),
        ] {
            for tag in tags {
                for time in times {
                    let mut ask = format!("{method} /a.txt | Connection: close");
                    if !tag.is_empty() {
                        ask += &format!(" | {first}: {tag}");
                    }
                    if !time.is_empty() {
                        ask += &format!(" | {second}: {time}");
                    }
                    asks.push(ask);
                }
            }
        }
    }
    asks.sort();
    asks.dedup();
    let asks: Vec<&str> = asks.iter().map(String::as_str).collect();
    alike(CONF).with_file("a.txt", "0123456789").without_logs().answers(&asks).await;
}
