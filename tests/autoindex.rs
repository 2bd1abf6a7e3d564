//! autoindex: very many files, exact sizes, and the time where the server is.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FileType, Mode};
use tokio::time::timeout;

use crate::harness::{Tidegate, process};

/// How many there are.
const FILES: usize = 100_000;

#[tokio::test]
async fn very_many_files_hold_nobody_up() {
    if !process::is_ours() {
        return;
    }
    let files = FILES;
    // In memory where there is such a place, and by one call a file.
    let memory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let folder = memory.path().join("many");
    std::fs::create_dir(&folder).unwrap();
    let at = File::open(&folder).unwrap();
    for number in 0..files {
        let (kind, mode) = (FileType::RegularFile, Mode::from_raw_mode(0o644));
        rustix::fs::mknodat(&at, format!("{number:06}"), kind, mode, 0).unwrap();
    }
    open_to_all(memory.path());
    let server = Tidegate::start(
        "worker_processes 1; error_log logs/error.log; events {} http { server {
            listen 127.0.0.1:8080; root html; autoindex on;
        } }",
    )
    .with_file("small.txt", "small")
    .await;
    std::os::unix::fs::symlink(&folder, server.folder().join("html/many")).unwrap();
    File::create(folder.join("big")).unwrap().set_len(5_000_000_001).unwrap();
    // What is there already costs nothing then.
    server.get("/").await.is(200).mentions("small.txt");
    let before = peak(&server);
    // On the loop, it would take its whole time, and nothing else would be answered before it.
    let mut text = String::new();
    let is_beside = async |text: &mut String| {
        let mut listing = server.connect().await;
        listing.send("GET /many/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        for _ in 0..3 {
            server.get("/small.txt").await.is(200).says("small");
        }
        let none = timeout(Duration::from_millis(1), listing.until("<a ")).await.is_err();
        *text = String::from_utf8(listing.rest().await).unwrap();
        none
    };
    // The test may have been held up, and not the server.
    let mut tries = 0;
    while !is_beside(&mut text).await {
        tries += 1;
        assert!(tries < 5, "the listing is there first");
    }
    assert_eq!(text.matches("<a href=\"").count(), files + 2);
    assert!(text.contains(&format!("{:06}", files - 1)) && text.contains(" 5000000001\r\n"));
    // Names and times of all of them, never the 11 MB of text.
    let grown = peak(&server) - before;
    assert!(grown < 24 << 10, "{grown} KiB");
}

/// Lets the server's user read a temporary folder.
fn open_to_all(folder: &Path) {
    std::fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
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
    if !process::is_ours() {
        return;
    }
    let who: &[&str] = if rustix::process::geteuid().is_root() {
        &["user nobody;", "user nobody; master_process off;"]
    } else {
        &[""]
    };
    for who in who {
        // Files of the tests are of 2 January 2024, 03:04:05.
        let server = Tidegate::start(&format!(
            "{who} env TZ=UTC; env TZ=Asia/Tokyo; error_log logs/error.log; events {{}} http {{ server {{
                listen 127.0.0.1:8080; root html; autoindex on;
                location /local/ {{ alias html/a/; autoindex_localtime on; }}
                location /rounded/ {{ alias html/a/; autoindex_exact_size off; }}
            }} }}",
        ))
        .with_file("a/file", "x".repeat(20_000))
        .await;
        server.get("/a/").await.is(200).mentions("02-Jan-2024 03:04               20000\r\n");
        server.get("/local/").await.is(200).mentions("02-Jan-2024 12:04               20000\r\n");
        server.get("/rounded/").await.is(200).mentions("02-Jan-2024 03:04     20K\r\n");
    }
}
