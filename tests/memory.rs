//! Memory: what a reload replaces is given back, while a connection of before lasts.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use crate::harness::{Backend, Tidegate, process};

#[tokio::test]
async fn memory_does_not_grow_by_reloads() {
    if !process::is_ours() {
        return;
    }
    // As long as one is kept, it would be seen: each takes some hundred KiB.
    let entry = |number: u32| format!("key{number} value{number};\n");
    let entries = (0..1500).map(entry).collect::<Vec<_>>().concat();
    let sockets = Backend::echoing().await;
    let server = Tidegate::start(&format!(
        "map $host $word {{ default one; {entries} }}
         server {{ listen 127.0.0.1:8080; location / {{ return 200 $word; }}
             location /socket {{ proxy_pass http://127.0.0.1:8091; proxy_http_version 1.1;
                 proxy_read_timeout 1h;
                 proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }} }}"
    ))
    .with_port(8091, sockets.port())
    .await;
    let mut socket = server.connect().await;
    let ask = "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";
    socket.send(ask).await;
    socket.until("\r\n\r\n").await;
    let serving = process::children(server.pid()).first().copied().unwrap_or(server.pid());
    let reloads = async |number: u32| {
        for _ in 0..number {
            let path = server.folder().join("nginx.pid.sock");
            let mut stream = UnixStream::connect(path).unwrap();
            stream.write_all(b"reload\n").unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            assert!(text.starts_with("ok\n"), "{text}");
            server.get("/").await.says("one");
        }
        held(serving)
    };
    // The allocator has what it takes after some; the rest has to go by with that.
    let (first, second) = (reloads(25).await, reloads(25).await);
    assert!(second < first + 1024, "{first} KiB after 25 reloads, {second} KiB after 50");
    socket.send("still there").await;
    assert_eq!(socket.until("there").await, "still there");
}

#[tokio::test]
async fn fields_that_come_one_by_one_take_no_more_memory_than_together() {
    if !process::is_ours() {
        return;
    }
    let server =
        Tidegate::start("server { listen 127.0.0.1:8080; location / { return 200 all; } }").await;
    let serving = process::children(server.pid()).first().copied().unwrap_or(server.pid());
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = server.connect().await;
        client.send("GET / HTTP/1.1\r\nHost: a\r\n").await;
        clients.push(client);
    }
    let before = held(serving);
    for _ in 0..400 {
        for client in &mut clients {
            client.send("A: b\r\n").await;
        }
        // Long enough for each to be read by itself, mostly.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let grown = held(serving).saturating_sub(before);
    assert!(grown < 8 * 1024, "{grown} KiB for 20 heads of 2.4 KB");
    for client in &mut clients {
        client.send("\r\n").await;
        client.answer().await.says("all");
    }
}

/// The memory that a process has, in KiB, files apart.
fn held(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
