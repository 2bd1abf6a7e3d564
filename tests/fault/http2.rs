//! Upstreams of HTTP/2 that refuse requests, leave, or take no body.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::grpc::{END_HEADERS, END_STREAM, GOAWAY, HEADERS, RST_STREAM, SETTINGS, frame};
use crate::harness::{Backend, Tidegate, http2};

/// Reads the preface and frames, and answers each head by what the function says of its number.
async fn talks(mut stream: TcpStream, says: impl Fn(u8) -> Option<Vec<u8>>) -> Option<()> {
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await.ok()?;
    stream.write_all(&frame(SETTINGS, 0, 0, b"")).await.ok()?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        stream.read_exact(&mut vec![0; length]).await.ok()?;
        if head[3] == HEADERS {
            stream.write_all(&says(head[8])?).await.ok()?;
        }
    }
}

fn whole(stream: u8) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &[0x88])
}

const TWO: &str = "
    upstream two { server 127.0.0.1:8090 max_fails=0; server 127.0.0.1:8091 max_fails=0; }
    upstream_wait off;
    server {
        listen 127.0.0.1:8080;
        location /grpc { grpc_pass two; }
        location /http2 { proxy_http_version 2; proxy_pass http://two; }
        location /one { proxy_http_version 2; proxy_pass http://127.0.0.1:8092; }
    }";

#[tokio::test]
async fn what_was_refused_unseen_is_sent_to_another() {
    let refusing = |code: u8| {
        Backend::raw(move |stream| async move {
            let says = |stream| Some(frame(RST_STREAM, 0, stream, &[0, 0, 0, code]));
            talks(stream, says).await;
        })
    };
    let answering = Backend::raw(|stream| async move {
        talks(stream, |stream| Some(whole(stream))).await;
    });
    let (refusing, failing, answering) = (refusing(7).await, refusing(2).await, answering.await);
    let server = Tidegate::start(TWO)
        .with_port(8090, refusing.port())
        .with_port(8091, answering.port())
        .await;
    for path in ["/grpc", "/http2"] {
        for _ in 0..2 {
            server.ask(&format!("POST {path} || body")).await.is(200);
            server.get(path).await.is(200);
        }
    }
    assert!(refusing.connections() >= 2, "the first was asked");
    // What may have been acted on is not.
    let server = Tidegate::start(TWO)
        .with_port(8090, failing.port())
        .with_port(8091, answering.port())
        .await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(server.ask("POST /http2 || body").await.status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 502, 502]);
}

#[tokio::test]
async fn one_that_leaves_between_two_requests_costs_none() {
    // It says so only when the second request is on its way.
    let leaving = Backend::raw(|stream| async move {
        talks(stream, |stream| {
            let away = || frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]);
            Some(if stream == 1 { whole(1) } else { away() })
        })
        .await;
    })
    .await;
    let server = Tidegate::start(TWO).with_port(8092, leaving.port()).await;
    for _ in 0..6 {
        server.get("/one").await.is(200);
    }
    let seen = leaving.connections();
    assert!((2..=6).contains(&seen), "{seen} connections");
}

#[tokio::test]
async fn a_body_that_is_not_taken_is_given_up() {
    // No window is opened: nothing of a body may be sent.
    let shut = Backend::raw(|mut stream| async move {
        let none = [0, 4, 0, 0, 0, 0];
        let _ = stream.write_all(&frame(SETTINGS, 0, 0, &none)).await;
        let mut buffer = [0; 4096];
        while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
    })
    .await;
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8080;
            location /grpc { grpc_send_timeout 200ms; grpc_pass 127.0.0.1:8090; }
            location /http2 { proxy_http_version 2; proxy_send_timeout 200ms; proxy_pass http://127.0.0.1:8090; } }",
    )
    .with_port(8090, shut.port())
    .await;
    let body = "b".repeat(100_000);
    for (path, family) in [("/grpc", "grpc"), ("/http2", "proxy")] {
        server.ask(&format!("POST {path} || {body}")).await.is(504);
        server
            .logs(&format!(
                "upstream timed out (110: Connection timed out) while sending request to upstream \
                 (the application takes nothing for {family}_send_timeout, 200ms)"
            ))
            .await;
    }
}

#[tokio::test]
async fn a_head_is_as_long_as_the_buffer_lets_it_be() {
    // A field, and many; in as many frames as it takes.
    let long = "v".repeat(100_000);
    let many: Vec<(String, String)> =
        (0..1000).map(|number| (format!("x-{number:04}"), "v".repeat(90))).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (&**name, &**value)).collect();
    let block = |fields: &[(&str, &str)]| [&[0x88][..], &http2::literals(fields)].concat();
    let blocks = [block(&[("x-long", &long)]), block(&many)];
    let backends = blocks.map(|block| {
        Backend::raw(move |stream| {
            let block = block.clone();
            async move {
                talks(stream, |stream| Some(http2::blocks(stream.into(), END_STREAM, &block)))
                    .await;
            }
        })
    });
    let [long, many] = backends;
    let (long, many) = (long.await, many.await);
    let server = Tidegate::start(
        "upstream long { server 127.0.0.1:8090 max_fails=0; }
         upstream many { server 127.0.0.1:8091 max_fails=0; }
         proxy_http_version 2;
         server {
             listen 127.0.0.1:8080;
             location /little/long { proxy_buffer_size 16k; proxy_buffers 8 16k; proxy_pass http://long; }
             location /little/many { grpc_buffer_size 64k; grpc_pass many; }
             location /ample/long { proxy_buffer_size 128k; proxy_buffers 8 128k; proxy_pass http://long; }
             location /ample/many { grpc_buffer_size 128k; grpc_pass many; }
         }",
    )
    .with_port(8090, long.port())
    .with_port(8091, many.port())
    .await;
    // Each first over a connection of its own, then perhaps over the other's.
    for (path, name, size) in [("long", "proxy", "16k"), ("many", "grpc", "64k")] {
        for _ in 0..2 {
            let logged = server.error_log().len();
            server.get(&format!("/little/{path}")).await.is(502);
            let line = format!(
                "upstream sent too big header while reading response header from upstream (its header does \
                 not fit into {name}_buffer_size, {size}; raise it"
            );
            let told = &server.error_log()[logged..];
            assert!(told.contains(&line), "{told}");
            let answer = server.get(&format!("/ample/{path}")).await;
            answer.is(200);
            let length: usize = answer.fields.iter().map(|(_, value)| value.len()).sum();
            assert!(length > 90_000, "{length}");
        }
    }
    // Far too long: the library has read no further.
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8080; location / { proxy_http_version 2; proxy_pass http://127.0.0.1:8090; } }",
    )
    .with_port(8090, long.port())
    .await;
    server.get("/").await.is(502);
    server.logs("is far longer than proxy_buffer_size, 4k; raise it, or send fewer and shorter cookies)").await;
}
