//! A WebSocket server behind an upgraded connection.

use super::application::{At, Files, Runner};
use crate::harness::client::Connection;
use crate::harness::{Tidegate, eventually};

const HELLO: &str = "GET /live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: echo\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[tokio::test]
async fn messages_pass_in_both_directions() {
    let files = Files::none();
    let app = files.run(Runner::Itself, "echo.py", At::free_port(), "echo").await;
    let server = Tidegate::start(&conf(&app.at)).await;
    let mut connection = opened(&server).await;
    for number in 0..3 {
        let text = format!("message {number}");
        connection.send(frame(0x81, text.as_bytes())).await;
        connection.until(&text).await;
    }
    let long = "long ".repeat(20_000);
    connection.send(frame(0x81, long.as_bytes())).await;
    connection.until(&long).await;
    connection.send(frame(0x88, &1000_u16.to_be_bytes())).await;
    assert!(connection.closes().await, "the server ends the connection after the last frame");
}

#[tokio::test]
async fn a_connection_outlives_a_reload() {
    let files = Files::none();
    let app = files.run(Runner::Itself, "echo.py", At::free_port(), "echo").await;
    let mut server = Tidegate::start(&conf(&app.at)).await;
    let mut connection = opened(&server).await;
    server
        .reload(&conf(&app.at).replace("location /", "location = /new { return 204; } location /"));
    eventually("the new configuration", || async { server.get("/new").await.status == 204 }).await;
    connection.send(frame(0x81, b"still here")).await;
    connection.until("still here").await;
}

fn conf(at: &At) -> String {
    format!(
        "map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
        server {{
            listen 127.0.0.1:8080;
            location / {{
                proxy_pass http://{at};
                proxy_http_version 1.1;
                proxy_set_header Upgrade $http_upgrade;
                proxy_set_header Connection $connection_upgrade;
            }}
        }}"
    )
}

async fn opened(server: &Tidegate) -> Connection {
    let mut connection = server.connect().await;
    connection.send(HELLO).await;
    let head = connection.until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{head}");
    assert!(head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
    connection
}

/// A frame as a client sends it: masked, here by zeros (RFC 6455, section 5.2).
fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![kind];
    match payload.len() {
        short @ ..126 => frame.push(0x80 | short as u8),
        long => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}
