//! Servers that speak HTTP/2: gRPC's own, with its own client, and Hypercorn.

use std::process::Command;

use super::application::{At, Files, Runner, tool};
use crate::harness::Tidegate;

/// The bytes of a message of gRPC: not compressed, its length, itself.
fn message(text: &str) -> String {
    assert!(text.len() < 128);
    format!("\0\0\0\0{}{text}", char::from(text.len() as u8))
}

#[tokio::test]
async fn a_grpc_server() {
    let files = Files::none();
    let app = files.run(Runner::Itself, "grpc_echo.py", At::free_port(), "grpc").await;
    let server = Tidegate::start(&format!(
        "server {{
            listen 127.0.0.1:8080;
            http2 on;
            upstream_wait 10s;
            location / {{ grpc_pass grpc://{at}; health_check interval=100ms type=grpc mandatory; }}
            location /dead.Dead/ {{ upstream_wait off; grpc_pass grpc://127.0.0.1:8098; error_page 502 = /unavailable; }}
            location = /unavailable {{
                internal; default_type application/grpc;
                add_header grpc-status 14 always; add_header grpc-message unavailable always;
                return 204;
            }}
        }}",
        at = app.at
    ))
    .await;

    // Over HTTP/1.1 the status is behind the last chunk.
    let fields = "TE: trailers | Content-Type: application/grpc";
    let mut connection = server.connect().await;
    let body = message("hello");
    let request =
        crate::harness::ask::Ask::of(&format!("POST /echo.Echo/Say | {fields} || {body}"));
    connection.send(&request.bytes).await;
    let answer = connection.until("\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("Content-Type: application/grpc\r\n"), "{answer}");
    let rest = connection.until("grpc-status: 0\r\n").await;
    assert!(rest.contains(&body), "{rest:?}");
    let failed = server.ask(&format!("POST /echo.Echo/Fail | {fields} || {}", message(""))).await;
    failed.is(200).has("grpc-status", "5").has("grpc-message", "no such thing");
    server.ask(&format!("POST /dead.Dead/Say | {fields} || {body}")).await.has("grpc-status", "14");

    // Its own client: single messages, large ones, many, and a talk in both directions.
    let output = asked(&server).await;
    assert_eq!(
        output,
        "say hello 5\nlarge 1000000\nfail NOT_FOUND no such thing\ncount 500 number 499\n\
         chat you said one\nchat you said two\nchat you said three\ndead UNAVAILABLE\n"
    );
    server.logs("peer is healthy, health check").await;
}

/// What gRPC's own client is told.
async fn asked(server: &Tidegate) -> String {
    let mut command: Command = tool("python");
    command.arg("grpc_ask.py").arg(server.port(8080).to_string());
    let output = tokio::task::spawn_blocking(move || command.output().expect("python runs")).await;
    let output = output.expect("it ends");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    String::from_utf8_lossy(&output.stdout).into_owned() + &errors
}

#[tokio::test]
async fn hypercorn_over_http2() {
    let files = Files::none();
    let app = files.run(Runner::Hypercorn, "versions:app", At::free_port(), "versions").await;
    let server = Tidegate::start(&format!(
        "server {{
            listen 127.0.0.1:8080;
            client_max_body_size 20m;
            proxy_http_version 2;
            proxy_set_header Host $host;
            location / {{ proxy_pass http://{at}; }}
            location /streamed {{ proxy_request_buffering off; proxy_pass http://{at}; }}
            location /old {{ proxy_http_version 1.1; proxy_pass http://{at}; }}
        }}",
        at = app.at
    ))
    .await;
    let page = server.ask("/a?b=c | X-A: 1").await;
    page.is(200).has("X-Answer", "yes").mentions(r#""version": "2""#).mentions(r#""path": "/a""#);
    page.mentions(r#""query": "b=c""#).mentions(r#""a": "1""#).mentions(r#""host": "localhost""#);
    server.get("/old").await.is(200).mentions(r#""version": "1.1""#);
    let body = "0123456789".repeat(200_000);
    for path in ["/", "/streamed"] {
        let answer = server.ask(&format!("POST {path} || {body}")).await;
        answer.is(200).mentions(r#""length": 2000000"#);
    }
    let large = server.get("/large").await;
    assert_eq!(large.is(200).body.len(), 1_000_000);
    server.ask("HEAD /a").await.is(200).has("X-Answer", "yes");
}
