//! types: a configuration that names none still has right types.

use crate::harness::{Tidegate, process};

#[tokio::test]
async fn types_are_guessed_where_none_are_configured() {
    if !process::is_ours() {
        return;
    }
    let server = Tidegate::start("server { listen 127.0.0.1:8080; }")
        .with_file("a.css", "c")
        .with_file("a.js", "j")
        .with_file("a.svg", "s")
        .with_file("a.woff2", "w")
        .with_file("a.unknown-ending", "u")
        .await;
    server.get("/a.css").await.is(200).has("Content-Type", "text/css");
    server.get("/a.js").await.is(200).has("Content-Type", "text/javascript");
    server.get("/a.svg").await.is(200).has("Content-Type", "image/svg+xml");
    server.get("/a.woff2").await.is(200).has("Content-Type", "font/woff2");
    server.get("/a.unknown-ending").await.is(200).has("Content-Type", "text/plain");
}

#[tokio::test]
async fn configured_types_are_the_only_ones() {
    let server = Tidegate::start(
        "types { text/html html; }
         server { listen 127.0.0.1:8080; default_type application/octet-stream; }",
    )
    .with_file("a.css", "c")
    .with_file("a.html", "h")
    .await;
    server.get("/a.css").await.is(200).has("Content-Type", "application/octet-stream");
    server.get("/a.html").await.is(200).has("Content-Type", "text/html");
}
