//! A full disk: who cannot be given an answer is told, and nothing is left behind.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::harness::{Backend, Tidegate, backend, eventually, process};

/// A file system of 64 KiB, for as long as the value lives.
struct Disk {
    folder: TempDir,
}

impl Disk {
    /// `None`, which says so, where nothing may be mounted.
    fn small() -> Option<Self> {
        let folder = TempDir::new().expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64k,mode=1777", "tmpfs"]).arg(folder.path());
        let output = mount.output().expect("mount can be run");
        if !output.status.success() {
            eprintln!("skipped: {}", String::from_utf8_lossy(&output.stderr));
            return None;
        }
        Some(Self { folder })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What of it is taken, in bytes.
    fn taken(&self) -> u64 {
        let disk = rustix::fs::statvfs(self.path()).expect("a file system");
        (disk.f_blocks - disk.f_bfree) * disk.f_frsize
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_costs_one_request_and_leaves_nothing() {
    let Some(disk) = Disk::small().filter(|_| process::is_ours()) else { return };
    let large = "x".repeat(16 << 20);
    let app = Backend::http(move |request| {
        backend::ok(if request.starts_with("GET /large") { &large } else { "small" })
    })
    .await;
    let path = disk.path().display();
    let server = Tidegate::start(&format!(
        "upstream app {{ server 127.0.0.1:8090; keepalive 0; }}
         proxy_buffers 2 4k; proxy_busy_buffers_size 4k;
         proxy_temp_path {path}/answers;
         client_body_temp_path {path}/bodies;
         client_max_body_size 0;
         server {{ listen 127.0.0.1:8080; location / {{ proxy_pass http://app; }} }}"
    ))
    .with_port(8090, app.port())
    .await;
    let files = PathBuf::from(format!("/proc/{}/fd", process::serving(server.pid())));
    let open = || std::fs::read_dir(&files).expect("a process").count();
    server.get("/small").await.is(200).says("small");
    let before = open();
    let words = "failed (28: No space left on device) while reading upstream";
    let body = "y".repeat(1 << 20);
    // Four times, so that one that is left open each time is told from one that is about to close.
    for times in 1..=4 {
        // A client that does not read: what waits for it does not fit, which is told at once.
        let mut slow = server.connect().await;
        slow.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await;
        eventually("it is told", || async { server.error_log().matches(words).count() == times })
            .await;
        let rest = slow.rest().await;
        assert!(
            rest.starts_with(b"HTTP/1.1 200 OK\r\n") && rest.len() < 16 << 20,
            "{}",
            rest.len()
        );
        // A body that does not fit.
        server.ask(&format!("POST /small || {body}")).await.is(500);
    }
    server.logs("failed (28: No space left on device), client:").await;
    assert_eq!(server.error_log().matches(words).count(), 4, "{}", server.error_log());
    eventually("nothing is left open", || async { open() <= before + 2 }).await;
    eventually("nothing is left on the disk", || async { disk.taken() <= 8192 }).await;
    server.get("/small").await.is(200).says("small");
}

#[tokio::test]
async fn a_full_disk_leaves_the_servers_of_a_group_as_they_were() {
    let Some(disk) = Disk::small().filter(|_| process::is_ours()) else { return };
    let app = Backend::http(|_| backend::ok("one")).await;
    let file = disk.path().join("app.servers");
    let lines = format!("server 127.0.0.1:{};\n", app.port());
    std::fs::write(&file, &lines).expect("there is room");
    let server = Tidegate::start(&format!(
        "upstream app {{ state {}; }}
         server {{ listen 127.0.0.1:8080; location / {{ proxy_pass http://app; }} }}",
        file.display()
    ))
    .await;
    let full = disk.path().join("full");
    assert!(std::fs::write(&full, vec![0; 1 << 20]).is_err(), "the disk is full");
    let output = server.command(&["upstream", "app", "add", "127.0.0.1:1"]);
    let said = String::from_utf8_lossy(&output.stderr);
    let words = format!("\"{}\" cannot be written: No space left on device", file.display());
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&words) && said.contains("\nnothing has changed"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).expect("it is there"), lines);
    for _ in 0..2 {
        server.get("/").await.is(200).says("one");
    }
    let names = || std::fs::read_dir(disk.path()).expect("a folder").count();
    assert_eq!(names(), 2, "nothing is left beside it");
    std::fs::remove_file(&full).expect("it is there");
    let output = server.command(&["upstream", "app", "add", "127.0.0.1:1 backup"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        std::fs::read_to_string(&file).expect("it is there"),
        lines + "server 127.0.0.1:1 backup;\n"
    );
}
