//! Upgrade: a WebSocket goes through, both ways, until either side ends it.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Backend, Tidegate};

const CONF: &str = "
map $http_upgrade $connection_upgrade { default upgrade; '' close; }
server {
    listen 127.0.0.1:8080;
    location / {
        proxy_pass http://127.0.0.1:8090;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
    }
}";

const HELLO: &str =
    "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

/// A backend that switches protocols and sends back what it gets, until it gets a `!`.
async fn echoing() -> Backend {
    Backend::raw(|mut stream| async move {
        let mut buffer = [0; 16_000];
        let Ok(length) = stream.read(&mut buffer).await else { return };
        let head = String::from_utf8_lossy(&buffer[..length]).to_ascii_lowercase();
        if !head.contains("upgrade: websocket") {
            let _ = stream.write_all(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n").await;
            return;
        }
        let switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nfirst;";
        let _ = stream.write_all(switch).await;
        while let Ok(length @ 1..) = stream.read(&mut buffer).await {
            if stream.write_all(&buffer[..length]).await.is_err() || buffer[..length].contains(&b'!') {
                return;
            }
        }
    })
    .await
}

#[tokio::test]
async fn bytes_go_both_ways() {
    let backend = echoing().await;
    let server = Tidegate::start(CONF).with_port(8090, backend.port()).await;
    let mut socket = server.connect().await;
    socket.send(HELLO).await;
    let head = socket.until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{head}");
    assert!(head.contains("Upgrade: websocket\r\n"), "{head}");
    socket.until("first;").await;
    for number in 0..50 {
        socket.send(format!("message {number};")).await;
        assert_eq!(socket.until(";").await, format!("message {number};"));
    }
    let large = "x".repeat(300_000) + "$";
    assert_eq!(socket.send_and_read(&large, "$").await.len(), large.len());
    socket.send("the end!").await;
    assert!(socket.until("!").await.ends_with("the end!"));
    assert!(socket.closes().await);
    let line = server.access_log(1).await.remove(0);
    assert!(line.contains("\"GET /chat HTTP/1.1\" 101 "), "{line}");
}

#[tokio::test]
async fn a_client_that_leaves_ends_it() {
    let backend = echoing().await;
    let server = Tidegate::start(CONF).with_port(8090, backend.port()).await;
    let mut socket = server.connect().await;
    socket.send(HELLO).await;
    socket.until("first;").await;
    drop(socket);
    assert!(server.access_log(1).await[0].contains(" 101 "));
    server.get("/plain").await.is(400);
}

#[tokio::test]
async fn bytes_behind_the_request_are_not_lost() {
    let backend = echoing().await;
    let server = Tidegate::start(CONF).with_port(8090, backend.port()).await;
    let mut socket = server.connect().await;
    socket.send(format!("{HELLO}early;")).await;
    socket.until("first;").await;
    assert_eq!(socket.until(";").await, "early;");
}

#[tokio::test]
async fn a_silent_tunnel_is_closed() {
    let backend = echoing().await;
    let conf = CONF.replace("proxy_http_version", "proxy_read_timeout 2s; proxy_http_version");
    let server = Tidegate::start(&conf).with_port(8090, backend.port()).await;
    let mut socket = server.connect().await;
    socket.send(HELLO).await;
    socket.until("first;").await;
    assert!(socket.closes().await);
}

#[tokio::test]
async fn a_tunnel_lives_while_the_client_alone_talks() {
    let backend = Backend::raw(|mut stream| async move {
        let mut buffer = [0; 1024];
        let _ = stream.read(&mut buffer).await;
        let _ = stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\nready;").await;
        while let Ok(length @ 1..) = stream.read(&mut buffer).await {
            if buffer[..length].contains(&b'!') {
                let _ = stream.write_all(b"heard;").await;
            }
        }
    })
    .await;
    let conf = CONF.replace("proxy_http_version", "proxy_read_timeout 3s; proxy_http_version");
    let server = Tidegate::start(&conf).with_port(8090, backend.port()).await;
    let mut socket = server.connect().await;
    socket.send(HELLO).await;
    socket.until("ready;").await;
    for _ in 0..8 {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        socket.send("tick;").await;
    }
    socket.send("!").await;
    assert_eq!(socket.until(";").await, "heard;");
}
