//! Fields that a client says behind the body of its request.

use crate::harness::http2::*;
use crate::harness::{Backend, Http2, Tidegate};

const CONF: &str = "server {
        listen 127.0.0.1:8080; http2 on; underscores_in_headers on;
        location / { return 200 ok; }
        location /one { proxy_pass http://127.0.0.1:8090; }
        location /one/live { proxy_request_buffering off; proxy_pass http://127.0.0.1:8090; }
        location /two { proxy_http_version 2; proxy_set_header X-Set ours; proxy_pass http://127.0.0.1:8091; }
        location /two/live { proxy_http_version 2; proxy_request_buffering off; proxy_pass http://127.0.0.1:8091; }
        location /two/file { proxy_http_version 2; client_body_in_file_only clean; proxy_pass http://127.0.0.1:8091; }
        location /two/bare { proxy_http_version 2; proxy_pass_request_headers off; proxy_pass http://127.0.0.1:8091; }
        location /grpc { grpc_pass grpc://127.0.0.1:8091; }
    }";

/// A request with this body, and fields behind it that say who it is of, too.
async fn ask(client: &mut Http2, path: &str, body: &str) -> Reply {
    let fields = [("x-said", "head"), ("trailer", "x-sum")];
    let stream = client.head(&request("POST", path, &fields), 0).await;
    if !body.is_empty() {
        client.frame(DATA, 0, stream, body.as_bytes()).await;
    }
    let behind = [
        ("x-sum", " 42 "),
        ("x_bad", "1"),
        ("x-said", "behind"),
        ("x-set", "theirs"),
        ("host", "other"),
        ("authorization", "Basic x"),
        ("content-length", "5"),
        ("x-sum", "43"),
    ];
    client.send(&blocks(stream, END_STREAM, &literals(&behind))).await;
    client.reply(stream).await
}

#[tokio::test]
async fn they_go_on_to_upstreams_of_http_2_and_nowhere_else() {
    let one = Backend::http(crate::harness::backend::ok).await;
    let two = Backend::http2(|_| "200\n\nok".to_owned()).await;
    let server =
        Tidegate::start(CONF).with_port(8090, one.port()).with_port(8091, two.port()).await;
    let mut client = server.http2().await;
    for (path, body) in [("/", "body"), ("/one", "body"), ("/one/live", "body"), ("/one", "")] {
        let answer = ask(&mut client, path, body).await.answer();
        let text = answer.is(200).text();
        assert!(!text.contains("x-sum: 4") && !text.contains("theirs"), "{path}: {text}");
    }
    for (path, body, set) in [
        ("/two", "body", false),
        ("/two", "", false),
        ("/two/live", "body", true),
        ("/two/live", "", true),
        ("/two/file", "body", true),
        ("/grpc", "body", true),
        ("/grpc", "", true),
    ] {
        ask(&mut client, path, body).await.answer().is(200).says("ok");
        let received = two.received().concat();
        // What the head has said, or the configuration says, holds.
        let set = if set { "\nx-set: theirs" } else { "" };
        let end = format!("\n\n{body}\nx-sum: 42\nx-sum: 43{set}");
        assert!(received.ends_with(&end), "{path} {body}: {received}");
    }
    ask(&mut client, "/two/bare", "body").await.answer().is(200);
    let received = two.received().concat();
    assert!(received.ends_with("\n\nbody"), "{received}");
}

#[tokio::test]
async fn those_that_are_too_long_end_the_stream_or_the_connection() {
    let server = Tidegate::start(CONF).await;
    let mut client = server.http2().await;
    let stream = client.head(&request("POST", "/", &[]), 0).await;
    let long = "x".repeat(100_000);
    client.send(&blocks(stream, END_STREAM, &literals(&[("x-a", &long)]))).await;
    let reply = client.reply(stream).await;
    assert!(!matches!(reply, Reply::Silence), "{reply:?}");
    server.http2().await.get("/").await.is(200);
}
