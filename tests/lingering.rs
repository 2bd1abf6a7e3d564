//! `lingering_close`, `reset_timedout_connection`: how connections end.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::harness::{DEADLINE, Tidegate};

/// Sends bytes, waits for the end of the connection, and tells how it ended.
fn end_of(port: u16, bytes: &[u8]) -> (String, Result<(), ErrorKind>) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(bytes).unwrap();
    let mut all = Vec::new();
    let mut room = [0; 4096];
    let end = loop {
        match stream.read(&mut room) {
            Ok(0) => break Ok(()),
            Ok(read) => all.extend_from_slice(&room[..read]),
            Err(error) => break Err(error.kind()),
        }
    };
    (String::from_utf8_lossy(&all).into_owned(), end)
}

#[tokio::test]
async fn who_has_timed_out_is_reset_where_told() {
    let server = Tidegate::start(
        "server {
             listen 127.0.0.1:8080;
             reset_timedout_connection on;
             location /shut { return 444; }
             location /plain { reset_timedout_connection off; return 444; }
         }
         server {
             listen 127.0.0.1:8081;
             client_header_timeout 200ms;
             reset_timedout_connection on;
         }",
    )
    .await;
    let port = server.port(8080);
    let shut = end_of(port, b"GET /shut HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(shut, (String::new(), Err(ErrorKind::ConnectionReset)));
    let plain = end_of(port, b"GET /plain HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(plain, (String::new(), Ok(())));
    let slow = end_of(server.port(8081), b"GET /shut HTTP/1.1\r\nHos");
    assert_eq!(slow, (String::new(), Err(ErrorKind::ConnectionReset)));
}

#[tokio::test]
async fn what_a_client_still_sends_is_read_as_told() {
    let server = Tidegate::start(
        "server {
             listen 127.0.0.1:8080;
             client_max_body_size 10;
             lingering_timeout 300ms;
             lingering_time 5s;
             location / { }
             location /off { lingering_close off; }
             location /always { lingering_close always; keepalive_timeout 0; return 204; }
         }",
    )
    .await;
    let port = server.port(8080);
    let timed = |path: &str, length: &str| {
        let started = Instant::now();
        let text = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        // Our side stays open: the server ends it when it has waited long enough.
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        let mut closed = started.elapsed();
        while stream.write_all(b"x").is_ok() && closed < Duration::from_secs(4) {
            std::thread::sleep(Duration::from_millis(20));
            closed = started.elapsed();
        }
        (String::from_utf8_lossy(&all).into_owned(), closed)
    };
    let (answer, _) = timed("/", "1000");
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let (answer, off) = timed("/off", "1000");
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(off < Duration::from_secs(4), "{off:?}");
    let (answer, _) = timed("/always", "0");
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

#[tokio::test]
async fn an_idle_connection_outlives_the_end_for_as_long_as_told() {
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8080; keepalive_min_timeout 3s; return 200 told; }
         server { listen 127.0.0.1:8081; return 200 plain; }",
    )
    .await;
    let mut told = server.connect().await;
    let mut plain = server.at(8081).connect().await;
    for client in [&mut told, &mut plain] {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        client.answer().await.is(200);
    }
    server.signal(rustix::process::Signal::QUIT);
    assert!(plain.closes().await, "still open");
    told.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    told.answer().await.is(200).says("told").has("Connection", "close");
    assert!(told.closes().await, "still open");
}

/// An end that follows in a packet of its own comes late for some of so many.
#[tokio::test]
async fn a_short_answer_and_the_end_of_its_connection_come_together() {
    let server = Tidegate::start(
        "server {
             listen 127.0.0.1:8080;
             location /short { return 200 short; }
             location /file { }
         }",
    )
    .with_file("file/index.html", "a file")
    .await;
    let port = server.port(8080);
    for round in 0..300 {
        let path = if round % 2 == 0 { "/short" } else { "/file/index.html" };
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let asked = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        stream.write_all(asked.as_bytes()).unwrap();
        let mut room = [0; 4096];
        assert!(stream.read(&mut room).unwrap() > 0);
        stream.set_nonblocking(true).unwrap();
        assert_eq!(stream.read(&mut room).map_err(|error| error.kind()), Ok(0), "{path}");
    }
}
