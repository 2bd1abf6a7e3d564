//! Ranges of a file, one and many.

use super::compare::alike;

const CONF: &str = r#"server {
    listen 127.0.0.1:8080;
    root html;
    location /none/ { max_ranges 0; }
    location /two/ { max_ranges 2; }
    location /text { return 200 "0123456789"; }
}"#;

#[tokio::test]
async fn single_and_many() {
    alike(CONF)
        .with_file("a.txt", "0123456789")
        .with_file("empty.txt", "")
        .with_file("none/a.txt", "0123456789")
        .with_file("two/a.txt", "0123456789")
        .answers(&[
            "/a.txt | Range: bytes=0-4",
            "/a.txt | Range: bytes=5-",
            "/a.txt | Range: bytes=-3",
            "/a.txt | Range: bytes=-30",
            "/a.txt | Range: bytes=-0",
            "/a.txt | Range: bytes=0-0",
            "/a.txt | Range: bytes=9-9",
            "/a.txt | Range: bytes=10-",
            "/a.txt | Range: bytes=9-100",
            "/a.txt | Range: bytes=0-9",
            "/a.txt | Range: bytes=0-",
            "/a.txt | Range: bytes=4-2",
            "/a.txt | Range: bytes=",
            "/a.txt | Range: bytes=-",
            "/a.txt | Range: bytes=a-b",
            "/a.txt | Range: bytes=1",
            "/a.txt | Range: bytes = 0-1",
            "/a.txt | Range: bytes= 0 - 1 ",
            "/a.txt | Range: Bytes=0-1",
            "/a.txt | Range: lines=0-1",
            "/a.txt | Range: bytes=0-1,",
            "/a.txt | Range: bytes=0-0,9-9",
            "/a.txt | Range: bytes=0-0, 5-6 ,-1",
            "/a.txt | Range: bytes=5-6,0-1",
            "/a.txt | Range: bytes=0-9,0-9",
            "/a.txt | Range: bytes=0-0,20-30",
            "/a.txt | Range: bytes=20-30,40-50",
            "/a.txt | Range: bytes=0-0,x",
            "/a.txt | Range: bytes=99999999999999999999-",
            "/a.txt | Range: bytes=0-99999999999999999999",
            "/a.txt | Range: bytes=-99999999999999999999",
            "/empty.txt | Range: bytes=0-",
            "/empty.txt | Range: bytes=-1",
            "/none/a.txt | Range: bytes=0-1",
            "/two/a.txt | Range: bytes=0-0,2-2",
            "/two/a.txt | Range: bytes=0-0,2-2,4-4",
            "/text | Range: bytes=0-1",
            "HEAD /a.txt | Range: bytes=0-1",
            "HEAD /a.txt | Range: bytes=0-0,2-2",
            "HEAD /a.txt | Range: bytes=50-",
            "POST /text | Range: bytes=0-1 || x",
            "/a.txt HTTP/1.0 | Range: bytes=0-1",
            "/a.txt | Range: bytes=0-1 | If-Range: \"65937d25-a\"",
            "/a.txt | Range: bytes=0-1 | If-Range: W/\"65937d25-a\"",
            "/a.txt | Range: bytes=0-1 | If-Range: \"x\"",
            "/a.txt | Range: bytes=0-1 | If-Range: Tue, 02 Jan 2024 03:04:05 GMT",
            "/a.txt | Range: bytes=0-1 | If-Range: Wed, 03 Jan 2024 03:04:05 GMT",
            "/a.txt | Range: bytes=0-1 | If-Range: Mon, 01 Jan 2024 03:04:05 GMT",
            "/a.txt | Range: bytes=0-1 | If-None-Match: \"65937d25-a\"",
            "/missing | Range: bytes=0-1",
        ])
        .await;
}

#[tokio::test]
async fn ranges_under_every_condition() {
    let ranges = [
        "bytes=0-0",
        "bytes=2-5",
        "bytes=-3",
        "bytes=5-",
        "bytes=0-0,2-3",
        "bytes=20-",
        "bytes=x",
        "items=0-1",
    ];
    // Those that end in 412, after which nginx drops the connection, are compared elsewhere.
    let conditions = [
        "X-None: 1",
        "If-Range: \"65937d25-a\"",
        "If-Range: W/\"65937d25-a\"",
        "If-Range: \"x\"",
        "If-Range: Tue, 02 Jan 2024 03:04:05 GMT",
        "If-Range: Tue, 02 Jan 2024 03:04:06 GMT",
        "If-None-Match: \"65937d25-a\"",
        "If-None-Match: W/\"65937d25-a\", \"y\"",
        "If-None-Match: \"y\" | If-Modified-Since: Tue, 02 Jan 2024 03:04:05 GMT",
        "If-Match: *",
        "If-Modified-Since: Tue, 02 Jan 2024 03:04:05 GMT",
        "If-Modified-Since: Tue, 02 Jan 2024 03:04:04 GMT",
    ];
    let mut asks = Vec::new();
    for path in ["/a.txt", "HEAD /a.txt", "/gzip/a.txt", "/sub/a.txt", "/one/a.txt"] {
        for condition in conditions {
            asks.push(format!("{path} | Accept-Encoding: gzip | {condition}"));
            if !path.starts_with("HEAD") {
                for range in ranges {
                    asks.push(format!(
                        "{path} | Range: {range} | Accept-Encoding: gzip | {condition}"
                    ));
                }
            }
        }
    }
    let asks: Vec<&str> = asks.iter().map(String::as_str).collect();
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            location /gzip/ { gzip on; gzip_min_length 1; gzip_types *; }
            location /sub/ { sub_filter 3 three; sub_filter_types *; sub_filter_last_modified on; }
            location /one/ { max_ranges 1; if_modified_since before; }
        }"#,
    )
    .with_file("a.txt", "0123456789")
    .with_file("gzip/a.txt", "0123456789")
    .with_file("sub/a.txt", "0123456789")
    .with_file("one/a.txt", "0123456789")
    .without_logs()
    .every_module()
    .answers(&asks)
    .await;
}
