//! Many handshakes at once: others are served between them.

use std::mem::MaybeUninit;
use std::sync::Arc;

use rustix::process::Signal;
use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use socket2::SockRef;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::harness::{Tidegate, tls};

/// How many clients shake hands.
const CLIENTS: usize = 40;

#[tokio::test]
async fn a_request_is_answered_before_most_of_the_handshakes_that_came_first() {
    for bits in [2048, 2304] {
        let server = server(bits).await;
        let mut ping = server.at(8080).connect().await;
        ping.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        ping.answer().await.is(200);
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            let port = server.port(8443);
            clients.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
        }
        // All of it is there when the server looks.
        server.signal(Signal::STOP);
        for client in &mut clients {
            client.write_all(&hello()).await.unwrap();
        }
        ping.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        server.signal(Signal::CONT);
        ping.answer().await.is(200);
        let answered = clients
            .iter()
            .filter(|client| SockRef::from(*client).peek(&mut [MaybeUninit::uninit()]).is_ok())
            .count();
        assert!(
            answered <= CLIENTS / 3,
            "{answered} handshakes by a key of {bits} bits came first"
        );
        for client in &clients {
            client.readable().await.unwrap();
        }
    }
}

/// A server with an RSA key of so many bits.
async fn server(bits: u16) -> Tidegate {
    let folder = tempfile::tempdir().unwrap();
    let arguments =
        format!("req -x509 -newkey rsa:{bits} -nodes -subj /CN=a.test -keyout key -out cert");
    tls::openssl(folder.path(), &arguments, "").await;
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    Tidegate::start(
        "master_process off; worker_processes 1; events {} error_log logs/error.log info;
        http {
            ssl_certificate cert.pem; ssl_certificate_key key.pem;
            server { listen 127.0.0.1:8443 ssl; listen 127.0.0.1:8080; return 200 ok; }
        }",
    )
    .with_prefix_file("cert.pem", read("cert"))
    .with_prefix_file("key.pem", read("key"))
    .await
}

/// The first bytes of a handshake.
fn hello() -> Vec<u8> {
    let name = ServerName::try_from("a.test").unwrap();
    let mut client = ClientConnection::new(Arc::new(tls::config()), name).unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    bytes
}
