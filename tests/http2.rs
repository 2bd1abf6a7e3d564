//! http2: many requests on one connection, each as it would be over HTTP/1.

mod clients;
mod conformance;
mod ending;
mod flood;
mod frames;
mod heads;
mod states;
mod trailers;
mod windows;

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::http2::*;
use crate::harness::{Backend, Http2, Tidegate};

const LOG: &str = "log_format two '$request $status $http2 $server_protocol $body_bytes_sent \
    $request_completion $connection_requests'; access_log logs/access.log two;";

async fn echo() -> Backend {
    Backend::http(crate::harness::backend::ok).await
}

#[tokio::test]
async fn both_protocols_are_spoken_on_one_port() {
    let server = Tidegate::start(&format!(
        "{LOG} server {{
            listen 127.0.0.1:8080; http2 on;
            location / {{ return 200 \"$server_protocol $http2\"; }}
        }}
        server {{ listen 127.0.0.1:8081; return 200; }}
        server {{ listen 127.0.0.1:8082 http2; return 200 old; }}"
    ))
    .await;
    server.get("/").await.is(200).says("HTTP/1.1 ");
    let mut client = server.http2().await;
    client.get("/a").await.is(200).says("HTTP/2.0 h2c").lacks("connection");
    client.get("/b").await.is(200);
    assert_eq!(
        server.access_log(3).await,
        [
            "GET / HTTP/1.1 200 - HTTP/1.1 9 OK 1",
            "GET /a HTTP/2.0 200 h2c HTTP/2.0 12 OK 1",
            "GET /b HTTP/2.0 200 h2c HTTP/2.0 12 OK 2"
        ]
    );
    Http2::to(&server.at(8082)).await.get("/").await.is(200).says("old");
    let refused = server.at(8081).request("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(refused.starts_with(b"HTTP/1.1 400 "), "{}", String::from_utf8_lossy(&refused));
}

#[tokio::test]
async fn the_proxy_protocol_comes_before_it() {
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8080 proxy_protocol; http2 on; set_real_ip_from 127.0.0.1;
            real_ip_header proxy_protocol; return 200 \"$remote_addr $http2\"; }",
    )
    .await;
    let mut client = Http2::bare(&server).await;
    client.send(b"PROXY TCP4 1.2.3.4 5.6.7.8 1000 443\r\n").await;
    client.begun(&[]).await.get("/").await.is(200).says("1.2.3.4 h2c");
    assert!(server.http2().await.closes().await, "without it nobody is heard");
}

#[tokio::test]
async fn a_preface_may_come_in_pieces() {
    let server =
        Tidegate::start("server { listen 127.0.0.1:8080; http2 on; return 200 ok; }").await;
    let mut client = Http2::bare(&server).await;
    for piece in crate::harness::http2::PREFACE.chunks(5) {
        client.send(piece).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    client.frame(SETTINGS, 0, 0, b"").await;
    client.get("/").await.is(200).says("ok");
    let mut plain = server.connect().await;
    plain.send("PR").await;
    tokio::time::sleep(Duration::from_millis(2)).await;
    plain.send("OPFIND / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    plain.answer().await.is(200).says("ok");
}

#[tokio::test]
async fn answers_take_turns_and_bodies_of_any_length_go_both_ways() {
    let backend = echo().await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080; http2 on; client_max_body_size 10m;
            location /up { proxy_pass http://127.0.0.1:8090; proxy_buffering off; }
            location /small { http2_chunk_size 100; }
        }",
    )
    .with_port(8090, backend.port())
    .with_file("large", "x".repeat(3_000_000))
    .with_file("small", "y".repeat(1000))
    .await;
    let mut client = server.http2().await;
    let (one, two) = (client.head(&get("/large", &[]), END_STREAM).await, client.next_stream());
    client.send(&blocks(two, END_STREAM, &literals(&get("/small", &[])))).await;
    client.reply(two).await.answer().is(200).says("y".repeat(1000));
    let mut other = server.http2().await;
    for (path, longest) in [("/small", 100), ("/large", 8 << 10)] {
        other.head(&get(path, &[]), END_STREAM).await;
        let mut lengths = Vec::new();
        while lengths.iter().sum::<usize>() < 1000 {
            lengths.push(other.until(DATA).await.payload.len());
        }
        assert!(lengths.iter().all(|length| *length == longest), "{path}: {lengths:?}");
    }
    assert_eq!(client.reply(one).await.answer().is(200).body.len(), 3_000_000);
    let body = "z".repeat(200_000); // as much as the window allows
    let answer = client.post(&request("POST", "/up", &[]), body.as_bytes()).await.answer();
    assert!(answer.is(200).text().ends_with(&body), "the body comes back");
    assert!(answer.text().starts_with("POST /up HTTP/1.1\r\n"), "{:.200}", answer.text());
}

#[tokio::test]
async fn upstreams_are_asked_as_by_http_1() {
    let backend = echo().await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080; http2 on;
            location / { proxy_pass http://127.0.0.1:8090; proxy_set_header Host $http_host; }
        }",
    )
    .with_port(8090, backend.port())
    .await;
    let mut client = server.http2().await;
    let fields = [("cookie", "a=1"), ("te", "trailers"), ("cookie", "b=2"), ("x-a", "b")];
    let answer = client.ask(&get("/p?q", &fields)).await.answer();
    let text = answer.is(200).text();
    assert!(text.starts_with("GET /p?q HTTP/1.1\r\nHost: localhost\r\n"), "{text}");
    assert!(text.contains("\r\ncookie: a=1; b=2\r\n") && text.contains("\r\nx-a: b\r\n"), "{text}");
    assert!(!text.to_ascii_lowercase().contains("\r\nte:"), "{text}");
}

#[tokio::test]
async fn some_answers_have_no_body() {
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080; http2 on;
            location /204 { return 204; }
            location /dir { return 301 /other; }
            location /gone { return 444; }
        }",
    )
    .with_file("a.txt", "hello")
    .await;
    let mut client = server.http2().await;
    let head = client.ask(&request("HEAD", "/a.txt", &[])).await.answer();
    head.is(200).says("").has("content-length", "5");
    let etag = head.field("etag").unwrap_or_default().to_owned();
    client.ask(&get("/a.txt", &[("if-none-match", &etag)])).await.answer().is(304).says("");
    client.get("/204").await.is(204).says("").lacks("content-length");
    let port = server.port(8080);
    client.get("/dir").await.is(301).has("location", &format!("http://localhost:{port}/other"));
    assert_eq!(client.ask(&get("/gone", &[])).await, Reply::Reset(1));
    client.get("/a.txt").await.is(200).says("hello");
}

#[tokio::test]
async fn servers_that_do_not_speak_it_are_not_to_be_had() {
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8080; http2 on; server_name a; return 200 a; }
         server { listen 127.0.0.1:8080; http2 on; server_name b; return 200 b; }
         server { listen 127.0.0.1:8080; server_name c; return 200 c; }",
    )
    .await;
    let mut client = server.http2().await;
    let ask =
        |host| vec![(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", host)];
    client.ask(&ask("B:80")).await.answer().is(200).says("b");
    client.ask(&ask("none")).await.answer().is(200).says("a");
    client.ask(&ask("c")).await.answer().is(421);
}

#[tokio::test]
async fn a_websocket_goes_through() {
    let backend = Backend::raw(|mut stream| async move {
        let mut buffer = [0; 4000];
        let Ok(length) = stream.read(&mut buffer).await else { return };
        let head = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let asked = head.starts_with("GET /chat HTTP/1.1\r\n")
            && head.contains("Upgrade: websocket\r\n")
            && head.contains("sec-websocket-key: ");
        if !asked {
            let _ = stream.write_all(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n").await;
            return;
        }
        let switch = b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: p\r\n\r\nfirst;";
        let _ = stream.write_all(switch).await;
        while let Ok(length @ 1..) = stream.read(&mut buffer).await {
            let _ = stream.write_all(&buffer[..length]).await;
        }
    })
    .await;
    let server = Tidegate::start(&format!(
        "{LOG} server {{
            listen 127.0.0.1:8080; http2 on;
            location / {{
                proxy_pass http://127.0.0.1:8090;
                proxy_set_header Upgrade $http_upgrade;
                proxy_set_header Connection upgrade;
            }}
        }}"
    ))
    .with_port(8090, backend.port())
    .await;
    let mut client = server.http2().await;
    let settings = client.until(SETTINGS).await.payload;
    assert!(settings.chunks(6).any(|one| one == [0, 8, 0, 0, 0, 1]), "{settings:?}");
    let fields = request("CONNECT", "/chat", &[("sec-websocket-version", "13")]);
    let mut fields = fields;
    fields.insert(1, (":protocol", "websocket"));
    let stream = client.head(&fields, 0).await;
    client.until(HEADERS).await;
    assert_eq!(client.until(DATA).await.payload, b"first;");
    for number in 0..20 {
        let text = format!("message {number};");
        client.frame(DATA, 0, stream, text.as_bytes()).await;
        assert_eq!(client.until(DATA).await.payload, text.as_bytes());
    }
    client.frame(DATA, END_STREAM, stream, b"").await;
    let last = client.until(DATA).await;
    assert_eq!((last.flags & END_STREAM, last.payload.len()), (END_STREAM, 0));
    let log = server.access_log(1).await;
    assert!(log[0].starts_with("GET /chat HTTP/2.0 200 h2c"), "{log:?}");
}

#[tokio::test]
async fn trailers_stand_behind_the_body_and_rates_are_kept() {
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080; http2 on;
            add_trailer X-Sent $body_bytes_sent; add_trailer X-None $arg_none;
            location / { return 200 text; }
            location /slow { alias html/large; limit_rate 100k; }
        }",
    )
    .with_file("large", "x".repeat(150_000))
    .with_file("a.txt", "hello")
    .await;
    let mut client = server.http2().await;
    let text = client.get("/").await;
    text.is(200).says("text").has("content-length", "4").lacks("x-none");
    assert_eq!(text.fields.last().map(|(name, _)| name.as_str()), Some("x-sent"));
    let begin = std::time::Instant::now();
    assert_eq!(client.get("/slow").await.is(200).body.len(), 150_000);
    assert!(begin.elapsed() > Duration::from_millis(400), "{:?}", begin.elapsed());
    client.ask(&request("HEAD", "/", &[])).await.answer().is(200).has("content-length", "4");
}

#[tokio::test]
async fn continue_is_said_to_those_who_wait() {
    let backend = echo().await;
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8080; http2 on; location / { proxy_pass http://127.0.0.1:8090; } }",
    )
    .with_port(8090, backend.port())
    .await;
    let mut client = server.http2().await;
    let stream = client.head(&request("POST", "/", &[("expect", "100-continue")]), 0).await;
    let hint = client.until(HEADERS).await;
    assert_eq!(hint.flags & END_STREAM, 0);
    client.frame(DATA, END_STREAM, stream, b"body").await;
    assert!(client.reply(stream).await.answer().is(200).text().ends_with("\r\n\r\nbody"));
}
