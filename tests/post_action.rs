//! post_action: what is asked after an answer.

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
