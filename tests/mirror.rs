//! mirror: a copy of every request for somebody else, and subrequests of other kinds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::harness::{Backend, Tidegate, backend, eventually, process};

/// Waits until so many requests have come, and takes them.
async fn received(backend: &Backend, count: usize) -> Vec<String> {
    eventually(&format!("{count} have come"), || async { backend.count() >= count }).await;
    backend.received()
}

#[tokio::test]
async fn copies_go_out_beside_a_request() {
    if !process::is_ours() {
        return;
    }
    let real = Backend::http(|_| backend::ok("real")).await;
    let copies = Backend::http(|_| "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno".into()).await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            root html;
            location / { mirror /copy; mirror /second; proxy_pass http://127.0.0.1:8090; }
            location /bare { mirror /copy; mirror_request_body off; proxy_pass http://127.0.0.1:8090; }
            location /file { mirror /copy; client_body_buffer_size 4; }
            location /off { mirror off; proxy_pass http://127.0.0.1:8090; }
            location = /copy { internal; proxy_pass http://127.0.0.1:8091/copy$request_uri; }
            location = /second { internal; proxy_pass http://127.0.0.1:8091/second; }
        }",
    )
    .with_port(8090, real.port())
    .with_port(8091, copies.port())
    .with_file("file", "file")
    .await;

    server.get("/x?a=b").await.is(200).says("real");
    let mut lines: Vec<String> = received(&copies, 2).await;
    lines.sort();
    assert!(lines[0].starts_with("GET /copy/x?a=b HTTP/1.1\r\n"), "{lines:?}");
    assert!(lines[1].starts_with("GET /second?a=b HTTP/1.1\r\n"), "{lines:?}");

    server.ask("POST /x || body").await.is(200).says("real");
    for copy in received(&copies, 2).await {
        assert!(copy.starts_with("POST /") && copy.ends_with("\r\n\r\nbody"), "{copy}");
    }
    assert!(real.received().iter().any(|request| request.ends_with("\r\n\r\nbody")));

    server.get("/file").await.is(200).says("file");
    assert!(received(&copies, 1).await[0].starts_with("GET /copy/file "));
    server.ask("HEAD /file").await.is(200);
    assert!(received(&copies, 1).await[0].starts_with("HEAD /copy/file "));
    server.get("/off").await.is(200);
    server.get("/copy").await.is(404);
    assert_eq!(copies.count(), 0);
}

#[tokio::test]
async fn what_a_page_includes_is_asked_for_at_the_same_time() {
    if !process::is_ours() {
        return;
    }
    let asked = Arc::new(AtomicUsize::new(0));
    // None is answered before all are asked for.
    let slow = Backend::raw(move |mut stream| {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let asked = Arc::clone(&asked);
        async move {
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            asked.fetch_add(1, Ordering::Relaxed);
            eventually("six are asked for", || async { asked.load(Ordering::Relaxed) >= 6 }).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx").await;
        }
    })
    .await;
    let server = Tidegate::start(
        "log_format sub '$uri $status';
         server {
            listen 127.0.0.1:8080;
            access_log logs/access.log sub;
            root html;
            location / { ssi on; log_subrequest on; }
            location /slow { proxy_pass http://127.0.0.1:8090; log_subrequest on; }
        }",
    )
    .with_port(8090, slow.port())
    .with_file("a.html", "[".to_owned() + &"<!--# include virtual=\"/slow\" -->".repeat(6) + "]")
    .with_file("many.html", "<!--# include virtual=\"/no.txt\" -->".repeat(1000))
    .with_file("deep.html", "<!--# include virtual=\"/deep.html\" -->")
    .await;

    server.get("/a.html").await.is(200).says("[xxxxxx]");
    let lines = server.access_log(7).await;
    assert_eq!(lines.iter().filter(|line| *line == "/slow 200").count(), 6, "{lines:?}");
    assert_eq!(lines.last().unwrap(), "/a.html 200");

    let many = server.get("/many.html").await;
    assert_eq!(many.is(200).text().matches("404 Not Found</title>").count(), 1000);
    server
        .get("/deep.html")
        .await
        .is(200)
        .says("[an error occurred while processing the directive]");
    assert!(server.read("logs/error.log").contains("subrequests cycle while processing"));

    // Who leaves early is not waited for.
    let mut client = server.connect().await;
    client.send("GET /a.html HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.until("[").await;
    drop(client);
    server.get("/a.html").await.is(200).says("[xxxxxx]");
}
