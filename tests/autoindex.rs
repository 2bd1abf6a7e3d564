//! autoindex: very many files, exact sizes, and the time where the server is.

use std::fs::File;
use std::time::{Duration, Instant};

use crate::harness::{Tidegate, process};

#[tokio::test]
async fn many_files_hold_nobody_up() {
    listed(20_000).await;
}

#[tokio::test]
#[ignore = "takes half a minute where the machine is busy"]
async fn very_many_files_hold_nobody_up() {
    listed(100_000).await;
}

/// Lists a folder of so many files while others ask.
async fn listed(files: usize) {
    if !process::is_ours() {
        return;
    }
    let server = Tidegate::start(
        "worker_processes 1; error_log logs/error.log; events {} http { server {
            listen 127.0.0.1:8080; root html;
            location /many/ { autoindex on; }
        } }",
    )
    .with_file("small.txt", "small")
    .await;
    let folder = server.folder().join("html/many");
    std::fs::create_dir(&folder).unwrap();
    for number in 0..files {
        File::create(folder.join(format!("{number:06}"))).unwrap();
    }
    File::create(folder.join("big")).unwrap().set_len(5_000_000_001).unwrap();
    let before = peak(&server);
    let mut listing = server.connect().await;
    listing.send("GET /many/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let mut slowest = Duration::ZERO;
    for _ in 0..20 {
        let begun = Instant::now();
        server.get("/small.txt").await.is(200).says("small");
        slowest = slowest.max(begun.elapsed());
    }
    // On the loop, it would take its whole time.
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
    let text = String::from_utf8(listing.rest().await).unwrap();
    assert_eq!(text.matches("<a href=\"").count(), files + 2);
    assert!(text.contains(&format!("{:06}", files - 1)) && text.contains(" 5000000001\r\n"));
    let grown = peak(&server) - before;
    assert!(grown < 100 << 10, "{grown} KiB");
}

/// The most memory that the server has had, in KiB.
fn peak(server: &Tidegate) -> u64 {
    let pid = process::children(server.pid()).first().copied().unwrap_or(server.pid());
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn times_are_those_of_the_place_where_told() {
    if !process::is_ours() || !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root has a worker process with an environment of its own");
        return;
    }
    // Files of the tests are of 2 January 2024, 03:04:05.
    let server = Tidegate::start(
        "user nobody; env TZ=Asia/Tokyo; error_log logs/error.log; events {} http { server {
            listen 127.0.0.1:8080; root html; autoindex on;
            location /local/ { alias html/a/; autoindex_localtime on; }
            location /rounded/ { alias html/a/; autoindex_exact_size off; }
        } }",
    )
    .with_file("a/file", "x".repeat(20_000))
    .await;
    server.get("/a/").await.is(200).mentions("02-Jan-2024 03:04               20000\r\n");
    server.get("/local/").await.is(200).mentions("02-Jan-2024 12:04               20000\r\n");
    server.get("/rounded/").await.is(200).mentions("02-Jan-2024 03:04     20K\r\n");
}
