//! gzip: what is compressed, and what is said of it.

use super::compare::{alike, echo};

#[tokio::test]
async fn what_is_compressed() {
    let long = "tidegate ".repeat(60);
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            gzip on;
            gzip_types text/css application/json;
            location /min/ { gzip_min_length 1000; }
            location /vary/ { gzip_vary on; }
            location /old/ { gzip_http_version 1.0; }
            location /all/ { gzip_types *; }
            location /off/ { gzip off; }
            location /disabled/ { gzip_disable "MSIE [1-6]\." ; }
            location /msie/ { gzip_disable msie6; }
            location /best/ { gzip_comp_level 9; }
            location /text { default_type text/css; return 200 "01234567890123456789"; }
            location /short { default_type text/css; return 200 "0123456789012345678"; }
            location /error { default_type text/css; return 404 "0123456789012345678901234567890"; }
            location /encoded/ { add_header Content-Encoding br; }
        }"#,
    )
    .with_file("a.html", &long)
    .with_file("a.css", &long)
    .with_file("a.txt", &long)
    .with_file("a.json", &long)
    .with_file("empty.html", "")
    .with_file("min/a.html", &long)
    .with_file("vary/a.html", &long)
    .with_file("vary/a.txt", &long)
    .with_file("old/a.html", &long)
    .with_file("all/a.txt", &long)
    .with_file("all/a.png", &long)
    .with_file("off/a.html", &long)
    .with_file("disabled/a.html", &long)
    .with_file("msie/a.html", &long)
    .with_file("best/a.html", &long)
    .without_logs()
    .answers(&[
        "/a.html | Accept-Encoding: gzip",
        "/a.html",
        "/a.css | Accept-Encoding: gzip",
        "/a.txt | Accept-Encoding: gzip",
        "/a.json | Accept-Encoding: gzip",
        "/empty.html | Accept-Encoding: gzip",
        "/a.html | Accept-Encoding: deflate, gzip, br",
        "/a.html | Accept-Encoding: gzip;q=0",
        "/a.html | Accept-Encoding: gzip;q=0.0",
        "/a.html | Accept-Encoding: gzip;q=0.5",
        "/a.html | Accept-Encoding: gzip; q=1.0",
        "/a.html | Accept-Encoding: gzip;q=0.000",
        "/a.html | Accept-Encoding: xgzip",
        "/a.html | Accept-Encoding: gzipx",
        "/a.html | Accept-Encoding: x-gzip",
        "/a.html | Accept-Encoding: GZIP",
        "/a.html | Accept-Encoding: *",
        "/a.html | Accept-Encoding: br | Accept-Encoding: gzip",
        "HEAD /a.html | Accept-Encoding: gzip",
        "/a.html HTTP/1.0 | Accept-Encoding: gzip",
        "/old/a.html HTTP/1.0 | Accept-Encoding: gzip",
        "/old/a.html HTTP/1.0 | Accept-Encoding: gzip | Connection: keep-alive",
        "/a.html | Accept-Encoding: gzip | Range: bytes=0-4",
        "/a.html | Accept-Encoding: gzip | If-None-Match: W/\"65937d25-21c\"",
        "/a.html | Accept-Encoding: gzip | If-None-Match: \"65937d25-21c\"",
        "/min/a.html | Accept-Encoding: gzip",
        "/vary/a.html | Accept-Encoding: gzip",
        "/vary/a.html",
        "/vary/a.txt",
        "/all/a.txt | Accept-Encoding: gzip",
        "/all/a.png | Accept-Encoding: gzip",
        "/off/a.html | Accept-Encoding: gzip",
        "/disabled/a.html | Accept-Encoding: gzip | User-Agent: Mozilla/4.0 (compatible; MSIE 5.0)",
        "/msie/a.html | Accept-Encoding: gzip | User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows)",
        "/msie/a.html | Accept-Encoding: gzip | User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; SV1)",
        "/best/a.html | Accept-Encoding: gzip",
        "/text | Accept-Encoding: gzip",
        "/short | Accept-Encoding: gzip",
        "/error | Accept-Encoding: gzip",
        "/missing | Accept-Encoding: gzip",
        "/a.html | Accept-Encoding: gzip | Via: 1.1 proxy",
    ])
    .await;
}

#[tokio::test]
async fn for_proxies_and_of_upstreams() {
    let backend = echo(&[
        ("/plain", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 30\r\nETag: \"x\"\r\n\r\n012345678901234567890123456789"),
        ("/chunked", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n0\r\n\r\n"),
        ("/encoded", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: br\r\nContent-Length: 30\r\n\r\n012345678901234567890123456789"),
        ("/private", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nCache-Control: private\r\nContent-Length: 30\r\n\r\n012345678901234567890123456789"),
        ("/expired", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nExpires: Thu, 01 Jan 1970 00:00:01 GMT\r\nContent-Length: 30\r\n\r\n012345678901234567890123456789"),
        ("/modified", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nLast-Modified: Tue, 02 Jan 2024 03:04:05 GMT\r\nContent-Length: 30\r\n\r\n012345678901234567890123456789"),
    ])
    .await;
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            gzip on;
            location / { proxy_pass http://127.0.0.1:8090; }
            location /any/ { gzip_proxied any; proxy_pass http://127.0.0.1:8090/; }
            location /some/ { gzip_proxied expired private no_last_modified; proxy_pass http://127.0.0.1:8090/; }
            location /auth/ { gzip_proxied auth; proxy_pass http://127.0.0.1:8090/; }
        }"#,
    )
    .with_backend(8090, backend)
    .without_logs()
    .mainline()
    .answers(&[
        "/plain | Accept-Encoding: gzip",
        "/chunked | Accept-Encoding: gzip",
        "/encoded | Accept-Encoding: gzip",
        "/plain | Accept-Encoding: gzip | Via: x",
        "/any/plain | Accept-Encoding: gzip | Via: x",
        "/some/plain | Accept-Encoding: gzip | Via: x",
        "/some/private | Accept-Encoding: gzip | Via: x",
        "/some/expired | Accept-Encoding: gzip | Via: x",
        "/some/modified | Accept-Encoding: gzip | Via: x",
        "/auth/plain | Accept-Encoding: gzip | Via: x",
        "/auth/plain | Accept-Encoding: gzip | Via: x | Authorization: Basic x",
    ])
    .await;
}
