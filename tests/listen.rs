//! listen: ports, addresses and sockets.

use crate::harness::{Connection, Tidegate, process};

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

#[tokio::test]
async fn a_name_is_listened_on_at_all_its_addresses() {
    let conf = "server { listen 127.0.0.1:8080; server_name first; return 200 first; }
         server { listen localhost:8081; server_name a; return 200 \"named $server_addr\"; }
         server { listen 127.0.0.1:8081; server_name b; return 200 addressed; }
         server { listen localhost:8082; return 200 \"other $server_port\"; }";
    let mut server = Tidegate::start(conf).await;
    let port = server.port(8082);
    let both = async |server: &Tidegate| {
        // The first of the address answers, whoever has said it and how.
        server.at(8081).get("/").await.says("named 127.0.0.1");
        server.at(8081).ask("GET / HTTP/1.0\r\nHost: b\r\n\r\n").await.says("addressed");
        server.at(8082).get("/").await.says(format!("other {port}"));
        server.get("/").await.says("first");
    };
    both(&server).await;
    // The same names are the same sockets.
    server.put_conf(conf);
    assert!(process::is_ours() && server.command(&["-s", "reload"]).status.success());
    both(&server).await;
}

#[test]
fn a_name_without_an_address_is_refused() {
    let conf = "server { listen nobody.invalid:8080; }";
    let (accepted, text) = Tidegate::start(conf).check(&["-t"]);
    let words = "host not found in \"nobody.invalid:";
    assert!(!accepted && text.contains(words), "{text}");
    assert!(text.contains("\" of the \"listen\" directive in "), "{text}");
    let (accepted, text) = Tidegate::start(conf).check(&["-t", "--without-files"]);
    assert!(accepted && text.contains(words), "{text}");
}
