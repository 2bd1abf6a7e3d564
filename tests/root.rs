//! root, alias: files as they are on disk, and no other.

use crate::harness::Tidegate;

#[tokio::test]
async fn no_request_leads_out_of_an_alias() {
    let server = Tidegate::start(
        r"server {
            listen 127.0.0.1:8080;
            location /images { alias html/images/; }
            location ~ ^/pictures(.*)$ { alias html/images/$1; }
            location /any/ { root html/$arg_folder; }
            location /tried/ { root html/images; try_files /$arg_file =404; }
            location /indexed/ { root html; index $arg_file; }
        }",
    )
    .with_file("secret.txt", "SECRET")
    .with_file("images/a.txt", "seen")
    .with_file("images/any/a.txt", "any")
    .with_file("indexed/x", "x")
    .await;

    server.get("/images/a.txt").await.is(200).says("seen");
    server.get("/any/a.txt?folder=images").await.is(200).says("any");
    server.get("/tried/x?file=a.txt").await.is(200).says("seen");
    for path in [
        "/images../secret.txt",
        "/pictures../secret.txt",
        "/pictures/../../secret.txt",
        "/any/secret.txt?folder=images/../..",
        "/tried/x?file=../secret.txt",
        "/indexed/?file=../secret.txt",
    ] {
        let answer = server.get(path).await;
        assert!(answer.status >= 400 && !answer.text().contains("SECRET"), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn a_change_is_seen_at_once() {
    let server = Tidegate::start("server { listen 127.0.0.1:8080; root html; }")
        .with_file("a.txt", "first")
        .await;

    server.get("/a.txt").await.is(200).says("first");
    tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    server.get("/a.txt").await.is(200).says("first");
    server.put_file("a.txt", "other");
    server.get("/a.txt").await.is(200).says("other");
    std::fs::remove_file(server.folder().join("html/a.txt")).unwrap();
    server.get("/a.txt").await.is(404);
    server.put_file("a.txt", "x".repeat(300_000));
    server.get("/a.txt").await.is(200).says("x".repeat(300_000));
}

#[tokio::test]
async fn types_are_known_without_a_table() {
    let server = Tidegate::start("server { listen 127.0.0.1:8080; root html; }")
        .with_file("a.svg", "<svg/>")
        .with_file("a.unheard-of", "x")
        .await;

    server.get("/a.svg").await.is(200).has("Content-Type", "image/svg+xml");
    server.get("/a.unheard-of").await.is(200).has("Content-Type", "text/plain");
}
