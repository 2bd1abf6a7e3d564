//! proxy_buffering: events come as they are sent where it is off.

use std::path::PathBuf;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Backend, Tidegate, backend, eventually, process};

/// A backend that sends an event, and the next one only when asked on another connection.
async fn events(head: &'static str) -> Backend {
    let more = std::sync::Arc::new(tokio::sync::Notify::new());
    Backend::raw(move |mut stream| {
        let more = more.clone();
        async move {
            let mut buffer = [0; 4_096];
            let Ok(length) = stream.read(&mut buffer).await else { return };
            if String::from_utf8_lossy(&buffer[..length]).contains("/more") {
                more.notify_one();
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
                return;
            }
            let _ = stream.write_all(head.as_bytes()).await;
            for number in 0..3 {
                let _ = stream.write_all(format!("data: {number}\n\n").as_bytes()).await;
                more.notified().await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn events_come_as_they_are_sent() {
    let plain = events("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n").await;
    let accel = events(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Accel-Buffering: no\r\n\r\n",
    );
    let accel = accel.await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            location /off/ { proxy_buffering off; proxy_pass http://127.0.0.1:8090/; }
            location /accel/ { proxy_pass http://127.0.0.1:8091/; }
            location /gzip/ {
                gzip on; gzip_types text/event-stream; gzip_min_length 0;
                proxy_buffering off; proxy_pass http://127.0.0.1:8090/;
            }
        }",
    )
    .with_port(8090, plain.port())
    .with_port(8091, accel.port())
    .await;
    for path in ["/off/", "/accel/"] {
        let mut stream = server.connect().await;
        stream.send(format!("GET {path}events HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        for number in 0..3 {
            stream.until(&format!("data: {number}\n\n")).await;
            server.get(&format!("{path}more")).await.is(200);
        }
        stream.until("0\r\n\r\n").await;
    }
}

/// The lengths of the chunks of a body.
fn chunks(mut body: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    while let Some(end) = body.iter().position(|byte| *byte == b'\r') {
        let line = std::str::from_utf8(&body[..end]).expect("a length");
        let length = usize::from_str_radix(line, 16).expect("a length");
        lengths.push(length);
        body = &body[end + 2 + length + 2..];
    }
    lengths
}

#[tokio::test]
async fn so_much_is_on_its_way_to_the_client_at_a_time() {
    if !process::is_ours() {
        return;
    }
    // More than sockets hold, so that the rest waits in memory and in a file.
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    let body = chunk.repeat(512) + "0\r\n\r\n";
    let app = Backend::http(move |_| {
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
    })
    .await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            proxy_buffers 16 8k;
            location /8 { proxy_busy_buffers_size 8k; proxy_pass http://127.0.0.1:8090; }
            location /32 { proxy_busy_buffers_size 32k; proxy_pass http://127.0.0.1:8090; }
        }",
    )
    .with_port(8090, app.port())
    .await;
    for size in [8, 32] {
        let mut slow = server.connect().await;
        slow.send(format!("GET /{size} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await;
        eventually("the answer waits in a file", async || files(&server) > 0).await;
        let answer = slow.rest().await;
        let head = crate::harness::answer::find(&answer, b"\r\n\r\n").expect("a head") + 4;
        let lengths = chunks(&answer[head..]);
        assert_eq!(lengths.iter().sum::<usize>(), 512 * 0x4000);
        let most = lengths.iter().max().expect("chunks");
        assert_eq!(*most, size * 1024, "{lengths:?}");
    }
}

/// How many files without a name are open.
fn files(server: &Tidegate) -> usize {
    lengths(server).len()
}

/// How long they are.
fn lengths(server: &Tidegate) -> Vec<u64> {
    let folder = std::fs::read_dir(format!("/proc/{}/fd", process::serving(server.pid())))
        .expect("a process");
    let length = |path: PathBuf| {
        let target = std::fs::read_link(&path).ok()?;
        target.to_string_lossy().ends_with("(deleted)").then_some(path.metadata().ok()?.len())
    };
    folder.filter_map(|entry| length(entry.ok()?.path())).collect()
}

/// How often the process has written so far, to whatever it may be.
fn writes(server: &Tidegate) -> u64 {
    let told = std::fs::read_to_string(format!("/proc/{}/io", process::serving(server.pid())))
        .expect("a process");
    let count = told.lines().find_map(|line| line.strip_prefix("syscw: "));
    count.and_then(|count| count.parse().ok()).expect("a number")
}

#[tokio::test]
async fn so_much_is_written_to_a_file_at_a_time() {
    if !process::is_ours() {
        return;
    }
    let large = "x".repeat(16 << 20);
    let app = Backend::http(move |_| backend::ok(&large)).await;
    let server = Tidegate::start(
        "proxy_buffers 8 16k;
         proxy_temp_file_write_size 16k;
         server { listen 127.0.0.1:8080; location / { proxy_pass http://127.0.0.1:8090; } }",
    )
    .with_port(8090, app.port())
    .await;
    let before = writes(&server);
    let mut slow = server.connect().await;
    slow.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    eventually("much of it is in a file", async || lengths(&server).iter().any(|&l| l > 8 << 20))
        .await;
    let times = writes(&server) - before;
    assert!(times >= (8 << 20) / (16 << 10), "8 MiB by {times} calls");
    assert_eq!(slow.answer().await.is(200).body.len(), 16 << 20);
}

#[tokio::test]
async fn without_any_place_for_files_an_answer_comes_whole_and_a_body_is_refused() {
    if !process::is_ours() {
        return;
    }
    let large = "x".repeat(8 << 20);
    let app = Backend::http(move |request| {
        backend::ok(if request.starts_with("GET /large") { &large } else { "small" })
    })
    .await;
    let server = Tidegate::start(
        "env TMPDIR=/proc/none;
         events {}
         error_log logs/error.log info;
         http {
             proxy_temp_path /proc/none/answers;
             client_body_temp_path /proc/none/bodies;
             client_max_body_size 0;
             proxy_buffers 4 8k;
             server { listen 127.0.0.1:8080; location / { proxy_pass http://127.0.0.1:8090; } }
         }",
    )
    .with_port(8090, app.port())
    .await;
    let mut slow = server.connect().await;
    slow.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let line = "[error]";
    let words = "open() of a temporary file in \"/proc/none/answers\" failed (2: No such file or directory) while reading upstream; the upstream waits for the client: *_temp_path names the folder, client: 127.0.0.1";
    eventually("it is told at once", async || server.error_log().contains(words)).await;
    assert_eq!(slow.answer().await.is(200).body.len(), 8 << 20);
    let log = server.error_log();
    assert_eq!(log.matches(words).count(), 1, "{log}");
    assert!(log.lines().any(|told| told.contains(words) && told.contains(line)), "{log}");
    let body = "y".repeat(1 << 20);
    server.ask(&format!("POST /small || {body}")).await.is(500);
    server.logs("\"/proc/none/bodies\"").await;
    server.get("/small").await.is(200).says("small");
}
