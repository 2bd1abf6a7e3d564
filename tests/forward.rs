//! What the families of forwarding say alike: whom they may ask, for how long, and for whom they go on.

mod families;
mod leaving;

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::harness::{Backend, DEADLINE, Tidegate, backend};

#[tokio::test]
async fn only_servers_that_are_allowed_are_asked() {
    let [one, two] = ["one", "two"].map(|name| Backend::http(move |_| backend::ok(name)));
    let (one, two) = (one.await, two.await);
    let server = Tidegate::start(
        "log_format tries '$uri $status $upstream_addr $upstream_last_addr $upstream_error';
         access_log logs/access.log tries;
         upstream two { server 127.0.0.1:8090; server 127.0.0.1:8091; }
         map $upstream_last_addr $allowed { volatile; 127.0.0.1:8091 1; }
         server {
             listen 127.0.0.1:8080;
             location / { proxy_pass http://two; proxy_allow_upstream $allowed; }
             location /said { proxy_pass http://two; proxy_allow_upstream 1 $arg_x; }
             location /uwsgi { uwsgi_pass 127.0.0.1:8090; uwsgi_allow_upstream 0; }
             location /fastcgi { fastcgi_pass 127.0.0.1:8090; fastcgi_allow_upstream ''; }
             location /scgi { scgi_pass 127.0.0.1:8090; scgi_allow_upstream 0; }
             location /grpc { grpc_pass 127.0.0.1:8090; grpc_allow_upstream 0; }
         }",
    )
    .with_port(8090, one.port())
    .with_port(8091, two.port())
    .await;
    for _ in 0..6 {
        server.get("/").await.is(200).says("two");
    }
    assert_eq!(one.connections(), 0, "it was not even connected to");
    server.get("/said?x=1").await.is(200);
    server.get("/said?x=0").await.is(403);
    server.get("/said").await.is(403);
    for path in ["uwsgi", "fastcgi", "scgi", "grpc"] {
        server.get(&format!("/{path}")).await.is(403);
        server
            .logs(&format!(
                "access to upstream is denied while connecting to upstream (a text of \
                 {path}_allow_upstream is empty or 0)"
            ))
            .await;
    }
    let lines = server.access_log(13).await;
    assert!(lines[7].contains("/said 403 127.0.0.1:"), "{lines:?}");
    assert!(lines[7].contains("proxy_allow_upstream is empty or 0"), "{lines:?}");
}

/// Answers after a while.
async fn late(time: Duration) -> Backend {
    Backend::raw(move |mut stream: TcpStream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        tokio::time::sleep(time).await;
        let _ = stream.write_all(backend::ok("late").as_bytes()).await;
    })
    .await
}

#[tokio::test]
async fn others_are_asked_for_so_long_and_no_longer() {
    let (one, two) = (late(Duration::from_secs(5)).await, late(Duration::from_secs(5)).await);
    let server = Tidegate::start(
        "log_format tries '$upstream_status';
         access_log logs/access.log tries;
         upstream two { server 127.0.0.1:8090 max_fails=0; server 127.0.0.1:8091 max_fails=0; }
         server {
             listen 127.0.0.1:8080;
             proxy_read_timeout 100ms;
             location / { proxy_pass http://two; }
             location /short { proxy_pass http://two; proxy_next_upstream_timeout 50ms; }
         }",
    )
    .with_port(8090, one.port())
    .with_port(8091, two.port())
    .await;
    server.get("/").await.is(504);
    server.get("/short").await.is(504);
    assert_eq!(server.access_log(2).await, ["504, 504", "504"]);
}

#[tokio::test]
async fn an_upstream_may_go_on_for_a_client_that_has_left() {
    let (never, app) = (late(Duration::from_mins(1)).await, late(Duration::from_millis(300)).await);
    let server = Tidegate::start(
        "log_format tries '$uri $status $upstream_status';
         access_log logs/access.log tries;
         server {
             listen 127.0.0.1:8080;
             location /ends { proxy_pass http://127.0.0.1:8090; }
             location /goes_on { proxy_pass http://127.0.0.1:8091; proxy_ignore_client_abort on; }
         }",
    )
    .with_port(8090, never.port())
    .with_port(8091, app.port())
    .await;
    for (number, (path, line)) in
        [("/ends", "/ends 499 -"), ("/goes_on", "/goes_on 200 200")].into_iter().enumerate()
    {
        let mut leaving = server.connect().await;
        leaving.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(leaving);
        assert_eq!(server.access_log(number + 1).await[number], line);
    }
}

/// Answers seven bytes of fourteen, and the others when its client has gone or another says so.
async fn halting() -> (Backend, Arc<Notify>, Arc<Notify>) {
    let (go, left) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (going, leaving) = (Arc::clone(&go), Arc::clone(&left));
    let app = Backend::raw(move |mut stream: TcpStream| {
        let (go, left) = (Arc::clone(&going), Arc::clone(&leaving));
        async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let begin = "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nand so ";
            stream.write_all(begin.as_bytes()).await.unwrap();
            let mut byte = [0];
            tokio::select! {
                () = go.notified() => stream.write_all(b"it ends").await.unwrap(),
                _ = stream.read(&mut byte) => left.notify_one(),
            }
        }
    })
    .await;
    (app, go, left)
}

#[tokio::test]
async fn a_client_that_leaves_amid_a_silent_answer_is_noticed() {
    let (app, go, left) = halting().await;
    let server = Tidegate::start(
        "log_format sent '$uri $status $body_bytes_sent';
         access_log logs/access.log sent;
         server {
             listen 127.0.0.1:8080;
             location / { proxy_pass http://127.0.0.1:8090; }
             location /piece_by_piece { proxy_pass http://127.0.0.1:8090; proxy_buffering off; }
             location /goes_on { proxy_pass http://127.0.0.1:8090; proxy_ignore_client_abort on; }
         }",
    )
    .with_port(8090, app.port())
    .await;
    for (number, path) in ["/", "/piece_by_piece", "/goes_on"].into_iter().enumerate() {
        let mut leaving = server.connect().await;
        leaving.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        leaving.until("and so ").await;
        drop(leaving);
        if path == "/goes_on" {
            go.notify_one();
        } else {
            timeout(DEADLINE, left.notified()).await.expect("its connection ends");
        }
        let bytes = if path == "/goes_on" { 14 } else { 7 };
        assert_eq!(server.access_log(number + 1).await[number], format!("{path} 200 {bytes}"));
    }
}

/// Whether the kernel has a timer of keepalive for the other end of a connection.
fn is_probed(stream: &TcpStream) -> bool {
    let (near, far) = (stream.local_addr().unwrap().port(), stream.peer_addr().unwrap().port());
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the kernel's table");
    table.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields[1].ends_with(&format!(":{far:04X}"))
            && fields[2].ends_with(&format!(":{near:04X}"))
            && fields[5].starts_with("02:")
    })
}

#[tokio::test]
async fn idle_connections_are_probed_where_told() {
    let app = Backend::raw(|mut stream: TcpStream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        let word = if is_probed(&stream) { "probed" } else { "left alone" };
        let _ = stream.write_all(backend::ok(word).as_bytes()).await;
    })
    .await;
    let server = Tidegate::start(
        "server {
             listen 127.0.0.1:8080;
             location /on { proxy_pass http://127.0.0.1:8090; proxy_socket_keepalive on; }
             location /off { proxy_pass http://127.0.0.1:8090; }
         }",
    )
    .with_port(8090, app.port())
    .await;
    server.get("/on").await.is(200).says("probed");
    server.get("/off").await.is(200).says("left alone");
}
