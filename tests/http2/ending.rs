//! How streams and connections end: by limits, by time, by either side.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::{LOG, echo};
use crate::harness::http2::*;
use crate::harness::{Backend, Http2, Tidegate, eventually, process, tls};

#[tokio::test]
async fn a_body_that_is_too_long_or_too_slow_ends_its_stream_alone() {
    let backend = echo().await;
    let server = Tidegate::start(&format!(
        "{LOG} server {{
            listen 127.0.0.1:8080; http2 on; client_max_body_size 1k;
            location / {{ proxy_pass http://127.0.0.1:8090; }}
            location /slow {{ client_body_timeout 200ms; proxy_pass http://127.0.0.1:8090; }}
        }}"
    ))
    .with_port(8090, backend.port())
    .await;
    let mut client = server.http2().await;
    let large = [("content-length", "2000")];
    let stream = client.head(&request("POST", "/told", &large), 0).await;
    client.reply(stream).await.answer().is(413);
    let stream = client.head(&request("POST", "/untold", &[]), 0).await;
    client.frame(DATA, 0, stream, &[b'x'; 2000]).await;
    client.reply(stream).await.answer().is(413);
    let stream = client.head(&request("POST", "/slow", &[]), 0).await;
    assert!(matches!(client.reply(stream).await, Reply::Reset(_)));
    client.get("/fine").await.is(200);
    let log = server.access_log(4).await.join("\n");
    assert!(log.contains("POST /slow HTTP/2.0 408 "), "{log}");
}

#[tokio::test]
async fn a_client_that_gives_up_is_logged_and_its_upstream_left() {
    let asked = Arc::new(Notify::new());
    let told = Arc::clone(&asked);
    let backend = Backend::raw(move |mut stream| {
        let told = Arc::clone(&told);
        async move {
            let mut buffer = [0; 1000];
            while let Ok(1..) = stream.read(&mut buffer).await {
                told.notify_one();
            }
        }
    })
    .await;
    let server = Tidegate::start(&format!(
        "{LOG} server {{ listen 127.0.0.1:8080; http2 on;
            location / {{ proxy_pass http://127.0.0.1:8090; }} location /ok {{ return 200; }} }}"
    ))
    .with_port(8090, backend.port())
    .await;
    let mut client = server.http2().await;
    let stream = client.head(&get("/wait", &[]), END_STREAM).await;
    asked.notified().await;
    client.frame(RST_STREAM, 0, stream, &8u32.to_be_bytes()).await;
    let log = server.access_log(1).await;
    assert!(log[0].starts_with("GET /wait HTTP/2.0 499 h2c"), "{log:?}");
    client.get("/ok").await.is(200);
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_by_send_timeout() {
    let server = Tidegate::start(
        "error_log logs/error.log info;
        server { listen 127.0.0.1:8080 sndbuf=32k; http2 on; send_timeout 300ms; }",
    )
    .with_file("large", "x".repeat(8_000_000))
    .await;
    // A window of nothing: the stream ends, the connection goes on.
    let mut client = Http2::with_settings(&server, &[(4, 0)]).await;
    let stream = client.head(&get("/large", &[]), END_STREAM).await;
    let begin = Instant::now();
    assert_eq!(client.reply(stream).await, Reply::Reset(2));
    assert!(begin.elapsed() > Duration::from_millis(250));
    client.frame(PING, 0, 0, &[7; 8]).await;
    assert_eq!(client.until(PING).await.payload, [7; 8]);
    // A socket that is not read: the connection ends.
    let mut client = Http2::with_settings(&server, &[(4, (1 << 31) - 1)]).await;
    client.frame(WINDOW_UPDATE, 0, 0, &0x7fff_0000u32.to_be_bytes()).await;
    client.head(&get("/large", &[]), END_STREAM).await;
    server.logs("while writing HTTP/2 frames").await;
}

#[tokio::test]
async fn connections_end_after_so_many_requests_or_so_much_silence() {
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8080; http2 on; keepalive_requests 2; return 200; }
         server { listen 127.0.0.1:8081; http2 on; keepalive_timeout 1s; return 200; }
         server { listen 127.0.0.1:8082; http2 on; client_header_timeout 200ms; return 200; }
         server { listen 127.0.0.1:8083; http2 on; keepalive_time 2s; return 200; }",
    )
    .await;
    // One that is old by its next request has had its last.
    let mut old = Http2::to(&server.at(8083)).await;
    old.get("/").await.is(200);
    assert!(!old.is_leaving());
    let age = tokio::time::sleep(Duration::from_millis(2050));
    let mut client = server.http2().await;
    client.get("/").await.is(200);
    client.get("/").await.is(200);
    assert_eq!(client.goes_away().await, Some(0));
    age.await;
    old.get("/").await.is(200);
    assert_eq!(old.goes_away().await, Some(0));
    let mut client = Http2::to(&server.at(8081)).await;
    client.get("/").await.is(200);
    assert_eq!(client.goes_away().await, Some(0));
    // Nothing is asked at all, or a header block never ends.
    assert_eq!(Http2::to(&server.at(8082)).await.goes_away().await, Some(0));
    let mut client = Http2::to(&server.at(8082)).await;
    client.until(SETTINGS).await;
    client.frame(HEADERS, END_STREAM, 1, &literals(&get("/", &[]))).await;
    assert_eq!(client.goes_away().await, Some(0));
}

#[tokio::test]
async fn over_tls_what_holds_for_a_connection_is_said_by_the_server_of_its_name() {
    let server = Tidegate::start(
        "ssl_certificate cert.pem; ssl_certificate_key key.pem; http2 on;
         server { listen 127.0.0.1:8443 ssl; http2_max_concurrent_streams 7; return 200 first; }
         server { listen 127.0.0.1:8443 ssl; server_name b.test; keepalive_requests 1;
             http2_max_concurrent_streams 9; return 200 b; }",
    )
    .with_certificate(&["a.test", "b.test"])
    .await;
    for (name, streams, is_last) in [("a.test", 7, false), ("b.test", 9, true)] {
        let mut config = tls::config();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let socket = TcpStream::connect(("127.0.0.1", server.port(8443))).await.unwrap();
        let shaken = tls::connect(socket, name, Arc::new(config)).await.unwrap();
        let mut client = Http2::over(shaken).begun(&[]).await;
        let settings = client.until(SETTINGS).await.payload;
        assert!(settings.chunks(6).any(|one| one == [0, 3, 0, 0, 0, streams]), "{settings:?}");
        let fields =
            [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", name)];
        client.ask(&fields).await.answer().is(200);
        client.frame(PING, 0, 0, &[1; 8]).await;
        if is_last {
            assert_eq!(client.goes_away().await, Some(0));
        } else {
            client.until(PING).await;
            assert!(!client.is_leaving());
        }
    }
}

#[tokio::test]
async fn what_a_client_still_sends_is_read_for_as_long_as_its_server_says() {
    let server = Tidegate::start(
        "server {
             listen 127.0.0.1:8080; http2 on; keepalive_requests 1; return 200;
             lingering_time 4s; lingering_timeout 10s;
         }
         server {
             listen 127.0.0.1:8081; http2 on; keepalive_requests 1; return 200;
             lingering_close off;
         }
         # A connection is no location's own, so that what these say is of no effect, as in nginx.
         server {
             listen 127.0.0.1:8082; http2 on; keepalive_requests 1; lingering_time 4s; lingering_timeout 10s;
             location / { lingering_close off; return 200; }
         }
         server {
             listen 127.0.0.1:8083; http2 on; keepalive_requests 1; lingering_close off;
             location / { lingering_close always; lingering_time 10s; return 200; }
         }",
    )
    .await;
    let stay = async |port: u16| {
        let mut client = Http2::to(&server.at(port)).await;
        client.get("/").await.is(200);
        assert_eq!(client.goes_away().await, Some(0));
        assert!(client.closes().await, "our side is not closed");
        let ended = Instant::now();
        // It is reset when nobody reads any more.
        while client.send(b"more").await && ended.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        ended.elapsed()
    };
    let lived: [_; 4] = tokio::join!(stay(8080), stay(8081), stay(8082), stay(8083)).into();
    for (long, short) in [(lived[0], lived[1]), (lived[2], lived[3])] {
        assert!((2000..9000).contains(&long.as_millis()), "{lived:?}");
        assert!(short < Duration::from_secs(2), "{lived:?}");
    }
}

#[tokio::test]
async fn who_leaves_amid_answers_leaves_nothing_behind() {
    let server = Tidegate::start(
        "error_log logs/error.log info;
         server { listen 127.0.0.1:8080; http2 on; send_timeout 1h; root html; }",
    )
    .with_file("large", "x".repeat(60_000))
    .await;
    if !process::is_ours() {
        return;
    }
    let mut client = Http2::with_settings(&server, &[(4, 1 << 20)]).await;
    client.frame(WINDOW_UPDATE, 0, 0, &0x7fff_0000u32.to_be_bytes()).await;
    // More than the sockets hold, and none of it is read.
    for _ in 0..100 {
        client.head(&get("/large", &[]), END_STREAM).await;
    }
    client.until(HEADERS).await;
    drop(client);
    eventually("nobody is there", || async {
        let output = server.command(&["status"]);
        String::from_utf8_lossy(&output.stdout).contains("connections: 0 open")
    })
    .await;
    server.logs("connection reset while sending response to client").await;
}

#[tokio::test]
async fn a_reload_keeps_connections_and_a_quiet_end_answers_what_was_asked() {
    let (asked, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, may_go_on) = (Arc::clone(&asked), Arc::clone(&go_on));
    let backend = Backend::raw(move |mut stream| {
        let (told, go_on) = (Arc::clone(&told), Arc::clone(&may_go_on));
        async move {
            let mut buffer = [0; 1000];
            let _ = stream.read(&mut buffer).await;
            told.notify_one();
            go_on.notified().await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate").await;
        }
    })
    .await;
    let conf = |text: &str| {
        format!(
            "server {{ listen 127.0.0.1:8080; http2 on; location / {{ return 200 {text}; }}
                location /slow {{ proxy_pass http://127.0.0.1:8090; }} }}"
        )
    };
    let mut server = Tidegate::start(&conf("one")).with_port(8090, backend.port()).await;
    let mut client = server.http2().await;
    client.get("/").await.says("one");
    server.reload(&conf("two"));
    crate::harness::eventually("the new configuration holds", || async {
        server.get("/").await.text() == "two"
    })
    .await;
    client.get("/").await.says("two");
    let mut idle = server.http2().await;
    idle.get("/").await.says("two");
    let stream = client.head(&get("/slow", &[]), END_STREAM).await;
    asked.notified().await;
    server.signal(Signal::QUIT);
    let away = client.until(GOAWAY).await;
    assert_eq!(code(&away.payload[4..]), 0);
    go_on.notify_one();
    client.reply(stream).await.answer().is(200).says("late");
    assert_eq!(idle.goes_away().await, Some(0));
}
