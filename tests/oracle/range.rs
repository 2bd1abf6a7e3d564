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
