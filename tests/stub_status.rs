//! `stub_status`: what connections are at.

use crate::harness::{Tidegate, eventually};

#[tokio::test]
async fn connections_are_counted_by_what_they_are_at() {
    let server = Tidegate::start(
        "limit_req_zone $server_name zone=slow:1m rate=1r/s;
         server {
             listen 127.0.0.1:8080;
             server_name site;
             location = /status { stub_status; }
             location = /numbers { return 200 \"$connections_active $connections_reading $connections_writing $connections_waiting\"; }
             location /wait { limit_req zone=slow burst=100; root html; }
         }",
    )
    .await;
    let status = server.get("/status").await.text();
    assert!(
        status.starts_with("Active connections: 1 \nserver accepts handled requests\n "),
        "{status}"
    );
    assert!(status.ends_with("\nReading: 0 Writing: 1 Waiting: 0 \n"), "{status}");
    let mut idle = server.connect().await;
    idle.send("GET /status HTTP/1.1\r\nHost: a\r\n\r\n").await;
    idle.answer().await.is(200);
    let mut reading = server.connect().await;
    reading.send("GET /status HTTP/1.1\r\nHo").await;
    let mut writing = Vec::new();
    for _ in 0..3 {
        let mut connection = server.connect().await;
        connection.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").await;
        writing.push(connection);
    }
    // The first of the three was answered at once and waits for its next request.
    eventually("all are where they are", || async {
        server.get("/numbers").await.text() == "6 1 3 2"
    })
    .await;
}
