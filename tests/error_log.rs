//! error_log: kept in memory, and told of some clients alone.

use crate::harness::client::Connection;
use crate::harness::{Tidegate, process};

#[tokio::test]
async fn a_log_in_memory_is_printed_when_asked_for() {
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            error_log memory:2k warn;
            location /denied { deny all; }
        }",
    )
    .await;
    let printed = || {
        let output = server.command(&["log"]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    server.get("/denied/1").await.is(403);
    let text = printed();
    assert!(text.contains(" [error] ") && text.contains("access forbidden by rule"), "{text}");
    for number in 2..30 {
        server.get(&format!("/denied/{number}")).await.is(403);
    }
    let text = printed();
    assert!(text.len() <= 2048 && !text.contains("/denied/1 "), "{text}");
    assert!(text.trim_end().ends_with("host: \"localhost\"") && text.contains("/denied/29 "));
    assert_eq!(server.error_log().matches("access forbidden").count(), 0);
}

#[tokio::test]
async fn a_worker_process_is_asked_for_its_lines() {
    if !process::is_ours() || !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root has two processes");
        return;
    }
    let server = Tidegate::start(
        "user nobody; error_log memory:1m info; events {} http { server {
            listen 127.0.0.1:8080;
            location / { deny all; }
        } }",
    )
    .await;
    server.get("/").await.is(403);
    let output = server.command(&["log"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("access forbidden by rule, client: 127.0.0.1"), "{output:?}");
}

#[tokio::test]
async fn everything_is_told_of_some_clients_alone() {
    let server = Tidegate::start(
        "events { debug_connection 127.0.0.2/32; debug_connection unix:; }
         error_log logs/error.log error;
         http { server {
            listen 127.0.0.1:8080; listen unix:web.sock;
            location /a { add_header X-Answer yes; return 200 ok; }
        } }",
    )
    .await;
    server.ask("GET /a?b=c | X-Plain: 1").await.is(200);
    let mut connection = Connection::unix(&server.folder().join("web.sock")).await;
    connection.send("GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-Told: 1\r\n\r\n").await;
    connection.answer().await.is(200);
    server.logs("http response header: \"X-Answer: yes\"").await;
    let log = server.error_log();
    for told in [
        "http request line: \"GET /a?b=c HTTP/1.1\"",
        "http uri: \"/a\"",
        "http args: \"b=c\"",
        "http header: \"X-Told: 1\"",
        "using configuration \"/a\" of \"\"",
        "http response status: 200",
    ] {
        let line = log.lines().find(|line| line.ends_with(told));
        assert!(line.is_some_and(|line| line.contains(" [debug] ")), "{told} in\n{log}");
    }
    assert!(!log.contains("X-Plain"), "{log}");
}
