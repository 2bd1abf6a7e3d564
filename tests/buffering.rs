//! proxy_buffering: events come as they are sent where it is off.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Backend, Tidegate};

/// A backend that sends an event, and the next one only when asked on another connection.
async fn events(head: &'static str) -> Backend {
    let more = std::sync::Arc::new(tokio::sync::Notify::new());
    Backend::raw(move |mut stream| {
        let more = more.clone();
        async move {
            let mut buffer = [0; 4_096];
            let Ok(length) = stream.read(&mut buffer).await else { return };
            if String::from_utf8_lossy(&buffer[..length]).contains("/more") {
                more.notify_one();
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
                return;
            }
            let _ = stream.write_all(head.as_bytes()).await;
            for number in 0..3 {
                let _ = stream.write_all(format!("data: {number}\n\n").as_bytes()).await;
                more.notified().await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn events_come_as_they_are_sent() {
    let plain = events("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n").await;
    let accel = events(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Accel-Buffering: no\r\n\r\n",
    );
    let accel = accel.await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            location /off/ { proxy_buffering off; proxy_pass http://127.0.0.1:8090/; }
            location /accel/ { proxy_pass http://127.0.0.1:8091/; }
            location /gzip/ {
                gzip on; gzip_types text/event-stream; gzip_min_length 0;
                proxy_buffering off; proxy_pass http://127.0.0.1:8090/;
            }
        }",
    )
    .with_port(8090, plain.port())
    .with_port(8091, accel.port())
    .await;
    for path in ["/off/", "/accel/"] {
        let mut stream = server.connect().await;
        stream.send(format!("GET {path}events HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        for number in 0..3 {
            stream.until(&format!("data: {number}\n\n")).await;
            server.get(&format!("{path}more")).await.is(200);
        }
        stream.until("0\r\n\r\n").await;
    }
}
