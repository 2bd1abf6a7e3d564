//! proxy_pass: slow, silent and broken backends, and clients that leave.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Backend, Tidegate, backend, eventually, process};

#[tokio::test]
async fn a_silent_backend_is_a_504() {
    let backend = Backend::raw(|mut stream| async move {
        let mut buffer = [0; 1024];
        while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
    })
    .await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            proxy_read_timeout 300ms;
            location / { proxy_pass http://127.0.0.1:8090; }
        }",
    )
    .with_port(8090, backend.port())
    .await;
    server.get("/slow").await.is(504);
    server.logs("upstream timed out").await;
    let port = backend.port();
    server.logs(&format!("upstream: \"http://127.0.0.1:{port}/slow\"")).await;
}

#[tokio::test]
async fn a_backend_that_takes_nothing_is_a_504() {
    let backend = Backend::raw(|stream| async move {
        tokio::time::sleep(Duration::from_secs(10)).await;
        drop(stream);
    })
    .await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            client_max_body_size 0;
            proxy_send_timeout 300ms;
            location / { proxy_pass http://127.0.0.1:8090; }
        }",
    )
    .with_port(8090, backend.port())
    .await;
    // More than the kernel takes for a peer that does not read.
    server.ask(&format!("POST /big || {}", "a".repeat(32 << 20))).await.is(504);
    server.logs("upstream timed out (110: Connection timed out) while sending request").await;
}

#[tokio::test]
async fn a_dead_backend_is_a_502_that_says_who() {
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8080; location / { proxy_pass http://127.0.0.1:8098; } }",
    )
    .await;
    server.get("/x").await.is(502);
    server.logs("connect() failed (111: Connection refused) while connecting to upstream").await;
    let port = server.port(8098);
    server.logs(&format!("upstream: \"http://127.0.0.1:{port}/x\"")).await;
}

#[tokio::test]
async fn rubbish_is_a_502() {
    // nginx takes an answer without a head for one of HTTP/0.9 and passes it on; tidegate does not.
    if !process::is_ours() {
        return;
    }
    let backend = Backend::http(|request| match request.split(' ').nth(1) {
        Some("/text") => "just text".to_owned(),
        Some("/status") => "HTTP/1.1 abc OK\r\n\r\n".to_owned(),
        Some("/low") => "HTTP/1.1 99 Low\r\n\r\n".to_owned(),
        _ => "\u{1}\u{2}\u{3}\r\n\r\n".to_owned(),
    })
    .await;
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8080; location / { proxy_pass http://127.0.0.1:8090; } }",
    )
    .with_port(8090, backend.port())
    .await;
    for path in ["/text", "/status", "/low", "/bytes"] {
        server.get(path).await.is(502);
    }
    server.logs("while reading response header from upstream").await;
}

#[tokio::test]
async fn a_client_that_leaves_is_a_499() {
    let backend = Backend::raw(|mut stream| async move {
        let mut buffer = [0; 1024];
        while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
    })
    .await;
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8080; location / { proxy_pass http://127.0.0.1:8090; } }",
    )
    .with_port(8090, backend.port())
    .await;
    let mut connection = server.connect().await;
    connection.send("GET /left HTTP/1.1\r\nHost: a\r\n\r\n").await;
    eventually("the backend is asked", || async { backend.connections() > 0 }).await;
    drop(connection);
    let line = server.access_log(1).await.remove(0);
    assert!(line.contains("\"GET /left HTTP/1.1\" 499 0"), "{line}");
}

#[tokio::test]
async fn large_answers_come_whole() {
    let body = "0123456789".repeat(400_000);
    let answer = backend::ok(&body);
    let until_the_end = format!("HTTP/1.1 200 OK\r\n\r\n{body}");
    let backend = Backend::http(move |request| {
        if request.contains("/end") { until_the_end.clone() } else { answer.clone() }
    })
    .await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            location / { proxy_pass http://127.0.0.1:8090; }
            location /memory { proxy_max_temp_file_size 0; proxy_pass http://127.0.0.1:8090; }
            location /off { proxy_buffering off; proxy_pass http://127.0.0.1:8090; }
        }",
    )
    .with_port(8090, backend.port())
    .await;
    for path in ["/", "/end", "/memory", "/memory/end", "/off", "/off/end"] {
        let answer = server.get(path).await;
        assert!(answer.is(200).text() == body, "{path}: {} bytes", answer.body.len());
    }
    // A client that reads late gets all of it, too.
    let mut slow = server.connect().await;
    slow.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(slow.answer().await.is(200).text() == body);
}

#[tokio::test]
async fn an_answer_that_is_cut_short_is_cut_short() {
    let backend = Backend::http(|request| {
        if request.contains("chunked") {
            return "HTTP/1.0 200 OK\r\n\r\n".to_owned();
        }
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100\r\n\r\nonly this".to_owned()
    })
    .await;
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8080; location / { proxy_pass http://127.0.0.1:8090; } }",
    )
    .with_port(8090, backend.port())
    .await;
    let mut connection = server.connect().await;
    connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let got = String::from_utf8_lossy(&connection.rest().await).into_owned();
    assert!(got.contains("Content-Length: 100") && got.ends_with("only this"), "{got}");
    server.logs("upstream prematurely closed connection while reading upstream").await;
}

#[tokio::test]
async fn an_answer_before_the_body_was_read_is_passed_on() {
    let backend = Backend::raw(|mut stream| async move {
        let mut buffer = [0; 100];
        let _ = stream.read(&mut buffer).await;
        let refusal = b"HTTP/1.1 413 No\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!";
        let _ = stream.write_all(refusal).await;
        let _ = stream.shutdown().await;
        while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
    })
    .await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            client_max_body_size 0;
            location / { proxy_pass http://127.0.0.1:8090; }
        }",
    )
    .with_port(8090, backend.port())
    .await;
    let answer = server.ask(&format!("POST / || {}", "x".repeat(1_000_000))).await;
    answer.is(413).says("no!");
}

#[tokio::test]
async fn unix_sockets_are_backends() {
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            location / { proxy_pass http://unix:app.sock; }
            location /uri/ { proxy_pass http://unix:app.sock:/to/; }
            location /upstream { proxy_pass http://app; }
        }
        upstream app { server unix:app.sock; }",
    )
    .await;
    let backend = Backend::http_at(&server.folder().join("app.sock"), backend::ok);
    server.get("/a").await.is(200).mentions("GET /a HTTP/1.1").mentions("Host: localhost");
    server.get("/uri/b").await.is(200).mentions("GET /to/b HTTP/1.1");
    server.get("/upstream").await.is(200).mentions("Host: app");
    drop(backend);
    server.get("/a").await.is(502);
}

#[tokio::test]
async fn connections_to_backends_are_used_again() {
    let backend = Backend::http(|_| backend::ok("x")).await;
    let server = Tidegate::start(
        "upstream app { server 127.0.0.1:8090; keepalive 4; }
         server {
            listen 127.0.0.1:8080;
            location / {
                proxy_http_version 1.1;
                proxy_set_header Connection \"\";
                proxy_pass http://app;
            }
        }",
    )
    .with_port(8090, backend.port())
    .await;
    let mut connection = server.connect().await;
    for _ in 0..20 {
        connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        connection.answer().await.is(200).says("x");
    }
    eventually("few connections", || async { backend.connections() <= 2 }).await;
}
