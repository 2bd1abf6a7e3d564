//! stub_status: its page, and who may ask for it.

use super::compare::alike;

#[tokio::test]
async fn the_page() {
    // One connection at a time: the numbers are those of the connection that asks.
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            location = /status { stub_status; }
            location /below/ { stub_status; }
            location = /denied { stub_status; deny all; }
            location = /numbers { return 200 "$connections_active $connections_reading $connections_writing $connections_waiting"; }
        }"#,
    )
    .every_module()
    .answers(&[
        "/numbers | Connection: close",
        "HEAD /status | Connection: close",
        "POST /status | Connection: close || abc",
        "PUT /status | Connection: close || abc",
        "DELETE /status | Connection: close",
        "/denied | Connection: close",
        "/status?x=y | Connection: close",
        "/below/x | Connection: close",
        "/status | Range: bytes=0-5 | Connection: close",
        "/status | If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT | Connection: close",
        "/status HTTP/1.0",
    ])
    .await;
}
