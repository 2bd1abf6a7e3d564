//! gzip: what comes slowly is not held back, and what lies compressed is sent as it is.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Backend, Tidegate, process};

#[tokio::test]
async fn events_are_not_held_back() {
    if !process::is_ours() {
        return;
    }
    let backend = Backend::raw(|mut stream| async move {
        let mut request = [0; 1024];
        let _ = stream.read(&mut request).await;
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
        let _ = stream.write_all(format!("{head}data: first\n\n").as_bytes()).await;
        // Held open far beyond the test's patience.
        tokio::time::sleep(Duration::from_mins(1)).await;
    })
    .await;
    let server = Tidegate::start(
        "gzip on; gzip_types text/event-stream;
         server { listen 127.0.0.1:8080; location / { proxy_pass http://127.0.0.1:8090; } }",
    )
    .with_port(8090, backend.port())
    .await;

    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n").await;
    let head = client.until("\r\n\r\n").await;
    assert!(head.contains("Content-Encoding: gzip"), "{head}");
    let size = client.until("\r\n").await;
    let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
    assert!(size > 10 + "data: first\n\n".len(), "{size} bytes are no more than a header");
}

#[tokio::test]
async fn a_compressed_file_stands_in_for_its_plain_one() {
    if !process::is_ours() {
        return;
    }
    let server = Tidegate::start(
        "types { text/css css; }
         server {
            listen 127.0.0.1:8080;
            root html;
            gzip_static on;
            gzip_vary on;
            location /always/ { gzip_static always; }
        }",
    )
    .with_file("a.css", "plain")
    .with_file("a.css.gz", "squeezed")
    .with_file("b.css", "plain")
    .with_file("always/a.css.gz", "squeezed")
    .await;

    let answer = server.ask("/a.css | Accept-Encoding: gzip").await;
    answer.is(200).has("Content-Encoding", "gzip").has("Content-Type", "text/css");
    answer.has("Vary", "Accept-Encoding").lacks("Accept-Ranges");
    server.get("/a.css").await.is(200).says("plain").has("Vary", "Accept-Encoding");
    let plain = server.ask("/b.css | Accept-Encoding: gzip").await;
    plain.is(200).says("plain").lacks("Content-Encoding").lacks("Vary");
    server.get("/always/a.css").await.is(200).has("Content-Encoding", "gzip");
}
