//! ssl: connections from clients that are encrypted.

mod certificate;
mod clients;
mod junk;
mod ocsp;
mod session;
mod signed;
mod turns;
mod verify_client;

use std::sync::Arc;

use tokio::io::AsyncWriteExt;

use crate::harness::{Connection, Tidegate, tls};

const FILES: &str = "ssl_certificate cert.pem; ssl_certificate_key key.pem;";

#[tokio::test]
async fn requests_are_answered_over_tls_by_the_server_of_the_name() {
    let server = Tidegate::start(&format!(
        "{FILES}
        server {{ listen 127.0.0.1:8443 ssl; return 200 \"first $scheme [$https] $ssl_curve\"; }}
        server {{ listen 127.0.0.1:8443 ssl; server_name b.test; root html; }}"
    ))
    .with_certificate(&["localhost", "b.test"])
    .with_file("big", "0123456789abcdef".repeat(20_000))
    .await;
    let client = server.over_tls("localhost");
    // Keys are agreed on so that no quantum computer of later days finds them, where clients can.
    client.get("/").await.is(200).says("first https [on] X25519MLKEM768");
    let mut connection = server.over_tls("b.test").connect().await;
    for _ in 0..3 {
        connection.send("GET /big HTTP/1.1\r\nHost: b.test\r\n\r\n").await;
        assert_eq!(connection.answer().await.body, "0123456789abcdef".repeat(20_000).as_bytes());
    }
    connection.send("GET /missing HTTP/1.1\r\nHost: b.test\r\nConnection: close\r\n\r\n").await;
    connection.answer().await.is(404);
    assert!(connection.closes().await);
}

#[tokio::test]
async fn plain_http_on_a_port_of_tls_is_refused_as_nginx_does() {
    let server = Tidegate::start(&format!(
        "{FILES}
        server {{ listen 127.0.0.1:8443 ssl; listen 127.0.0.1:8080; return 200 well; }}
        server {{ listen 127.0.0.1:8444 ssl; error_page 497 =301 https://$host/; }}"
    ))
    .with_certificate(&["localhost"])
    .await;
    server.get("/").await.is(400).mentions("The plain HTTP request was sent to HTTPS port");
    server.at(8444).get("/").await.is(301).has("Location", "https://localhost/");
    server.at(8080).get("/").await.is(200);
}

#[tokio::test]
async fn curl_and_openssl_are_served_and_told_of_ciphers_and_curves() {
    let server = Tidegate::start(&format!(
        "error_log logs/error.log info; {FILES} ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
        server {{ listen 127.0.0.1:8443 ssl;
            return 200 \"$ssl_protocol $ssl_cipher $ssl_curve [$ssl_server_name] $ssl_session_reused|$ssl_ciphers|$ssl_curves|\\n\"; }}
        server {{ listen 127.0.0.1:8444 ssl; ssl_protocols TLSv1.3; ssl_ecdh_curve secp384r1; return 200 ok; }}
        server {{ listen 127.0.0.1:8444 ssl; server_name b.test; ssl_protocols TLSv1.3; error_log logs/b.log info; }}"
    ))
    .with_certificate(&["localhost"])
    .await;
    let ask = async |port: u16, options: &str| {
        let port = server.port(port);
        let arguments = format!("s_client -connect 127.0.0.1:{port} -quiet -no_ign_eof {options}");
        tls::openssl(server.folder(), &arguments, "GET / HTTP/1.0\r\n\r\n").await
    };
    let modern = ask(8443, "-servername localhost -groups X25519:P-256").await;
    assert!(modern.contains("TLSv1.3 TLS_AES_128_GCM_SHA256 X25519 [localhost] .|"), "{modern}");
    assert!(modern.contains("|X25519:prime256v1|"), "{modern}");
    let older = ask(8443, "-tls1_2 -noservername -cipher ECDHE-ECDSA-AES128-GCM-SHA256").await;
    assert!(older.contains("TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256"), "{older}");
    assert!(older.contains("[] .|ECDHE-ECDSA-AES128-GCM-SHA256:"), "{older}");
    assert!(ask(8444, "-tls1_2").await.contains("alert protocol version"));
    assert!(ask(8444, "-groups X25519").await.contains("alert handshake failure"));
    assert!(ask(8444, "-groups P-384").await.contains("200 OK"));
    assert!(ask(8443, "-tls1_2 -cipher AES256-SHA").await.contains("alert handshake failure"));
    // Who offers nothing that we take is told of by a line each, and no fault of ours.
    let told = || {
        let log = server.error_log();
        let told = log.lines().filter(|line| line.contains("SSL_do_handshake() failed"));
        told.map(str::to_owned).collect::<Vec<_>>()
    };
    crate::harness::eventually("all are told of", async || told().len() >= 3).await;
    assert!(told().len() == 3 && told().iter().all(|line| line.contains("[info]")), "{:?}", told());
    // In the log of the server whose name was said, once it was.
    assert!(ask(8444, "-tls1_2 -servername b.test").await.contains("alert protocol version"));
    let of_b = async || server.read("logs/b.log").contains("SSL_do_handshake() failed");
    crate::harness::eventually("the log of b.test tells of it", of_b).await;
    assert_eq!(told().len(), 3);
    let url = format!("https://localhost:{}/", server.port(8443));
    let curl = std::process::Command::new("curl").args(["-sk", &url]).output().unwrap();
    assert!(String::from_utf8_lossy(&curl.stdout).contains("TLSv1.3"), "{curl:?}");
}

#[tokio::test]
async fn records_are_as_long_as_told() {
    let server = Tidegate::start(&format!(
        "{FILES} server {{ listen 127.0.0.1:8443 ssl; }}
        server {{ listen 127.0.0.1:8444 ssl; ssl_buffer_size 1k; }}"
    ))
    .with_certificate(&["localhost"])
    .with_file("big", "x".repeat(100_000))
    .await;
    for (port, most) in [(8443, 16 << 10), (8444, 1 << 10)] {
        let port = server.port(port);
        let arguments =
            format!("s_client -connect 127.0.0.1:{port} -tls1_3 -quiet -no_ign_eof -msg");
        let text = tls::openssl(server.folder(), &arguments, "GET /big HTTP/1.0\r\n\r\n").await;
        // The heads of the records: application data, the version, the length.
        let heads = text.lines().filter_map(|line| line.trim().strip_prefix("17 03 03 "));
        let lengths = heads.filter_map(|hex| usize::from_str_radix(&hex.replace(' ', ""), 16).ok());
        let longest = lengths.max().unwrap_or_default();
        // A byte for the kind and the seal come with each.
        assert_eq!(longest, most + 17, "{port}");
    }
}

#[tokio::test]
async fn the_proxy_protocol_comes_before_the_handshake() {
    let server = Tidegate::start(&format!(
        "{FILES} server {{ listen 127.0.0.1:8443 ssl proxy_protocol; set_real_ip_from 127.0.0.1;
            real_ip_header proxy_protocol; return 200 \"$remote_addr $https\"; }}"
    ))
    .with_certificate(&["localhost"])
    .await;
    for head in [&b"PROXY TCP4 1.2.3.4 5.6.7.8 1000 443\r\n"[..], b""] {
        let port = server.port(8443);
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(head).await.unwrap();
        let shaken = tls::connect(stream, "localhost", Arc::new(tls::config())).await;
        if head.is_empty() {
            assert!(shaken.is_err());
            continue;
        }
        let mut connection = Connection::over(shaken.unwrap());
        connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        connection.answer().await.is(200).says("1.2.3.4 on");
    }
    server.logs("broken header: ").await;
}
