//! proxy_protocol: a balancer says who the client is, before the client's own bytes.

use std::time::Duration;

use crate::harness::{Http2, Tidegate};

const HEADER: &[u8] = b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n";

async fn server() -> Tidegate {
    Tidegate::start(
        "error_log logs/error.log info;
        server {
            listen 127.0.0.1:8080 proxy_protocol;
            http2 on;
            client_header_timeout 2s;
            set_real_ip_from 127.0.0.1;
            real_ip_header proxy_protocol;
            return 200 \"$remote_addr $remote_port $server_protocol $proxy_protocol_server_port\";
        }",
    )
    .await
}

#[tokio::test]
async fn it_holds_for_every_request_of_its_connection() {
    let server = server().await;
    let mut connection = server.connect().await;
    connection.send(HEADER).await;
    for _ in 0..2 {
        connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        connection.answer().await.is(200).says("192.0.2.1 1000 HTTP/1.1 80");
    }
    let mut client = Http2::bare(&server).await;
    let settings = crate::harness::http2::settings_frame(&[]);
    client.send(&[HEADER, crate::harness::http2::PREFACE, &settings].concat()).await;
    client.get("/").await.is(200).says("192.0.2.1 1000 HTTP/2.0 80");
    let log = server.access_log(3).await;
    assert!(log.iter().all(|line| line.starts_with("192.0.2.1 ")), "{log:?}");
}

#[tokio::test]
async fn it_may_come_in_pieces_but_in_time() {
    let server = server().await;
    let mut connection = server.connect().await;
    for piece in HEADER.chunks(7) {
        connection.send(piece).await;
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    connection.answer().await.is(200);
    let mut slow = server.connect().await;
    slow.send("PROXY TCP4 ").await;
    assert!(slow.closes().await);
    server.logs("client timed out (110: Connection timed out) while reading PROXY protocol").await;
}

#[tokio::test]
async fn who_does_not_say_it_is_turned_away() {
    let server = server().await;
    assert_eq!(server.request("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await, b"");
    server
        .logs("broken header: \"GET / HTTP/1.1\" while reading PROXY protocol, client: 127.0.0.1")
        .await;
    assert_eq!(server.request([b'x'; 5000]).await, b"");
    assert_eq!(server.request(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff").await, b"");
    server.logs("PROXY protocol header is too large").await;
}
