//! listen: ports, addresses and sockets.

use crate::harness::{Connection, Tidegate};

#[tokio::test]
async fn unix_sockets_can_be_listened_on() {
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            listen unix:web.sock;
            location / { return 200 \"$remote_addr $server_addr\"; }
        }",
    )
    .await;
    let mut connection = Connection::unix(&server.folder().join("web.sock")).await;
    connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    connection.answer().await.is(200).says("unix: unix:web.sock");
    server.get("/").await.is(200).says("127.0.0.1 127.0.0.1");
}

#[tokio::test]
async fn options_are_understood() {
    let server = Tidegate::start(
        "server { listen 8080 default_server backlog=64 reuseport; return 200 one; }
         server { listen 127.0.0.1:8081 deferred; server_name x; return 200 two; }
         server { listen [::1]:8082 ipv6only=on; listen 127.0.0.1:8082; return 200 three; }
         server { listen 127.0.0.1:8083 default so_keepalive=on; return 200 four; }",
    )
    .await;
    server.get("/").await.is(200).says("one");
    server.at(8081).get("/").await.is(200).says("two");
    server.at(8082).get("/").await.is(200).says("three");
    server.at(8083).get("/").await.is(200).says("four");
}
