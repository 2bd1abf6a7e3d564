//! post_action: what is asked after an answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

use crate::harness::{Backend, Tidegate, eventually};

#[tokio::test]
async fn an_upstream_is_told_after_the_answer() {
    let backend =
        Backend::http(|_| "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno".to_owned()).await;
    let server = Tidegate::start(
        "server {
             listen 127.0.0.1:8080;
             location / { post_action /told; }
             location = /told { internal; proxy_set_header X-Sent $body_bytes_sent; proxy_pass http://127.0.0.1:8090; }
         }",
    )
    .with_port(8090, backend.port())
    .with_file("a", "0123456789")
    .await;
    let mut connection = server.connect().await;
    connection.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await;
    connection.answer().await.is(200).says("0123456789");
    let told = std::cell::RefCell::new(String::new());
    eventually("it is told", || async {
        told.borrow_mut().extend(backend.received());
        !told.borrow().is_empty()
    })
    .await;
    let told = told.into_inner();
    assert!(
        told.starts_with("GET /told HTTP/1.1\r\n") && told.contains("X-Sent: 10\r\n"),
        "{told}"
    );
    // The connection goes on as if nothing had been.
    connection.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await;
    connection.answer().await.is(200).says("0123456789");
    let lines = server.access_log(2).await;
    assert!(lines.iter().all(|line| line.contains("\"GET /a HTTP/1.1\" 200 10 ")), "{lines:?}");
}

/// What is told after an answer, while the client leaves as soon as it has it.
async fn told_to_the_end(request: &str) {
    let left = Arc::new(Notify::new());
    let waits = Arc::clone(&left);
    let backend = Backend::raw(move |mut stream| {
        let waits = Arc::clone(&waits);
        async move {
            let mut head = [0; 4096];
            assert!(stream.read(&mut head).await.unwrap() > 0);
            waits.notified().await;
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno";
            let _ = stream.write_all(answer).await;
        }
    })
    .await;
    let server = Tidegate::start(
        "log_format told '$uri $upstream_status';
         server {
             listen 127.0.0.1:8080;
             location / { post_action /told; }
             location = /told { internal; access_log logs/access.log told; proxy_pass http://127.0.0.1:8090; }
         }",
    )
    .with_port(8090, backend.port())
    .with_file("a", "0123456789")
    .await;
    let mut connection = server.connect().await;
    connection.send(request).await;
    connection.answer().await.is(200).says("0123456789");
    // The end does not come before what goes on behind the answer.
    let end = tokio::time::timeout(Duration::from_millis(50), connection.closes()).await;
    assert!(end.is_err(), "the connection has ended");
    drop(connection);
    // Time to notice it, for one who should not.
    tokio::time::sleep(Duration::from_millis(100)).await;
    left.notify_one();
    assert_eq!(server.access_log(1).await, ["/told 200"]);
}

#[tokio::test]
async fn who_leaves_with_the_answer_stops_nothing() {
    told_to_the_end("GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await;
    told_to_the_end("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
}
