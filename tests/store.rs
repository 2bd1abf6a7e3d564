//! *_store: answers are kept as files, whole or not at all.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, UNIX_EPOCH};

use crate::harness::{Backend, Tidegate, backend, eventually, process};

#[tokio::test]
async fn an_answer_is_kept_and_served_from_then_on() {
    if !process::is_ours() {
        return;
    }
    let large = "0123456789".repeat(100_000);
    let answer = large.clone();
    let app = Backend::http(move |request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let dated = "Last-Modified: Sat, 01 Jan 2000 00:00:00 GMT\r\n";
        match path.rsplit('/').next().unwrap_or_default() {
            "large.txt" | "left.txt" => {
                format!(
                    "HTTP/1.1 200 OK\r\n{dated}Content-Length: {}\r\n\r\n{answer}",
                    answer.len()
                )
            }
            "chunked.txt" => {
                let rest = format!("{:x}\r\n{answer}\r\n0\r\n\r\n", answer.len());
                format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n{rest}")
            }
            "short.txt" => format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2000000\r\n\r\n{answer}"
            ),
            "none.txt" => "HTTP/1.1 404 None\r\nContent-Length: 4\r\n\r\nnone".to_owned(),
            "empty.txt" => backend::ok(""),
            _ => backend::ok("small"),
        }
    })
    .await;
    let cgi = Backend::uwsgi(|_| "Status: 200 OK\r\n\r\nby uwsgi".to_owned()).await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            location /files/ { error_page 404 = /fetch$uri; log_not_found off; }
            location /fetch/ {
                internal;
                alias html/;
                proxy_pass http://127.0.0.1:8090;
                proxy_store on;
                proxy_store_access user:rw group:r all:r;
            }
            location /named { proxy_pass http://127.0.0.1:8090; proxy_store $document_root/kept/$arg_name; }
            location /uwsgi { uwsgi_pass 127.0.0.1:8091; uwsgi_store $document_root/kept/uwsgi; }
            location /nowhere { proxy_pass http://127.0.0.1:8090; proxy_store /proc/none/file; }
        }",
    )
    .with_port(8090, app.port())
    .with_port(8091, cgi.port())
    .await;
    let html = server.folder().join("html");
    for (name, content) in [
        ("small.txt", "small"),
        ("empty.txt", ""),
        ("large.txt", &*large),
        ("chunked.txt", &*format!("first{large}")),
    ] {
        for time in ["the first", "the second"] {
            let answer = server.get(&format!("/files/{name}")).await;
            assert!(answer.is(200).text() == content, "{name} {time} time");
            // It gets its name when all of it is there, which the client may know a moment before.
            let kept = html.join("files").join(name);
            eventually("it is kept", || async { kept.exists() }).await;
        }
        assert_eq!(app.received().len(), 1, "{name} is asked for once");
        assert!(
            std::fs::read(html.join("files").join(name)).unwrap() == content.as_bytes(),
            "{name}"
        );
    }
    let metadata = std::fs::metadata(html.join("files/large.txt")).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o644);
    assert_eq!(metadata.modified().unwrap(), UNIX_EPOCH + Duration::from_hours(262_968));
    let folder = std::fs::metadata(html.join("files")).unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o755);

    // What is not whole, or no answer of 200 to GET, is not kept, and leaves nothing.
    let mut cut = server.connect().await;
    cut.send("GET /files/short.txt HTTP/1.1\r\nHost: a\r\n\r\n").await;
    cut.rest().await;
    server.get("/files/none.txt").await.is(404);
    server.ask("HEAD /named?name=head").await.is(200);
    server.ask("POST /named?name=post || x").await.is(200);
    server.get("/named?name=a/b").await.is(200);
    server.get("/uwsgi").await.is(200).says("by uwsgi");
    server.get("/nowhere").await.is(200).says("small");
    server.logs("failed (2: No such file or directory) while storing an answer").await;
    let names = |folder: &str| {
        let names = std::fs::read_dir(html.join(folder)).unwrap();
        let mut names: Vec<_> = names.map(|name| name.unwrap().file_name()).collect();
        names.sort();
        names
    };
    eventually("what was begun is gone", || async { names("files").len() == 4 }).await;
    assert_eq!(names("kept"), ["a", "uwsgi"]);
    assert_eq!(std::fs::read(html.join("kept/a/b")).unwrap(), b"small");
    assert_eq!(std::fs::read(html.join("kept/uwsgi")).unwrap(), b"by uwsgi");

    // A client that leaves does not keep it from being kept.
    let mut leaving = server.connect().await;
    leaving.send("GET /files/left.txt HTTP/1.1\r\nHost: a\r\n\r\n").await;
    leaving.until("\r\n\r\n").await;
    drop(leaving);
    let left = html.join("files/left.txt");
    eventually("it is kept all the same", || async { left.exists() }).await;
    assert!(std::fs::read(left).unwrap() == large.as_bytes());
}
