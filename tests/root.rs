//! root and alias: nothing outside them is served.

use crate::harness::{Tidegate, process};

const CONF: &str = "server {
    listen 127.0.0.1:8080;
    root html/public;
    location /alias/ { alias html/aliased/; }
    location /noslash { alias html/aliased/; }
    location ~ ^/regex/(.*)$ { alias html/aliased/$1; }
    location /try/ { try_files $uri $uri/ =404; }
    location /list/ { autoindex on; }
}";

#[tokio::test]
async fn nothing_outside_is_served() {
    let server = Tidegate::start(CONF)
        .with_file("secret.txt", "SECRET")
        .with_file("public/open.txt", "open")
        .with_file("aliased/open.txt", "open")
        .with_file("aliased-not/secret.txt", "SECRET")
        .with_prefix_file("secret.txt", "SECRET")
        .await;
    server.get("/open.txt").await.is(200).says("open");
    server.get("/alias/open.txt").await.is(200).says("open");
    let ways_up = [
        "..",
        "%2e%2e",
        "%2E.",
        ".%2e",
        "..%2f..",
        "..%5c..",
        "....//..",
        "..;/..",
        "%252e%252e",
        "..%00",
        "%c0%ae%c0%ae",
        "..%2f",
        "./..",
        "x/../..",
        "x/../../..",
        "//..",
        "\\..",
        "%uff0e.",
    ];
    // nginx serves /noslash../secret.txt; tidegate does not leave the alias.
    let missing_slash = if process::is_ours() { "/noslash" } else { "/" };
    for prefix in
        ["/", "/alias/", "/alias", missing_slash, "/noslash/", "/regex/", "/try/", "/list/"]
    {
        for up in ways_up {
            for target in
                ["secret.txt", "aliased-not/secret.txt", "../secret.txt", "nginx.conf", ""]
            {
                let path = format!("{prefix}{up}/{target}");
                let answer = server.get(&path).await;
                assert!(!answer.text().contains("SECRET"), "{path}: {answer:?}");
                assert!(!answer.text().contains("listen"), "{path}: {answer:?}");
                assert!(!answer.text().contains("aliased-not"), "{path}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn no_request_leads_out_of_an_alias() {
    if !process::is_ours() {
        return;
    }
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
async fn links_are_followed_as_by_nginx() {
    let server = Tidegate::start(CONF)
        .with_file("public/open.txt", "open")
        .with_file("elsewhere/file.txt", "linked")
        .await;
    let public = server.folder().join("html/public");
    std::os::unix::fs::symlink("../elsewhere/file.txt", public.join("link")).expect("a link");
    std::os::unix::fs::symlink("../elsewhere", public.join("dir")).expect("a link");
    std::os::unix::fs::symlink("loop", public.join("loop")).expect("a link");
    server.get("/link").await.is(200).says("linked");
    server.get("/dir/file.txt").await.is(200).says("linked");
    server.get("/dir").await.is(301);
    server.get("/loop").await.is(403);
}

#[tokio::test]
async fn what_is_no_file_is_not_served() {
    let server = Tidegate::start(CONF).with_file("public/open.txt", "open").await;
    let pipe = server.folder().join("html/public/pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).expect("a pipe");
    server.get("/pipe").await.is(404);
    server.get("/open.txt/").await.is(404);
    server.get("/open.txt/x").await.is(404);
}

#[tokio::test]
async fn large_files_come_whole() {
    let large: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let server = Tidegate::start(CONF).with_file("public/large", &large).await;
    assert!(server.get("/large").await.is(200).body == large);
    let part = server.ask("/large | Range: bytes=1000000-1999999").await;
    assert!(part.is(206).body == large[1_000_000..2_000_000]);
}

#[tokio::test]
async fn server_tokens_off_hides_the_version() {
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            location /off { server_tokens off; return 404; }
            location /on { return 404; }
        }",
    )
    .await;
    server
        .get("/off")
        .await
        .is(404)
        .has("Server", "tidegate")
        .mentions("<center>tidegate</center>");
    let version = concat!("tidegate/", env!("CARGO_PKG_VERSION"));
    server.get("/on").await.is(404).has("Server", version).mentions(version);
}
