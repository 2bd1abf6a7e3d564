//! The process: it goes to the background, gives up root's rights, and keeps to its limits.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::{Tidegate, process};

/// A line of `/proc/PID/…` that begins with a word.
fn line(pid: &str, file: &str, word: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    text.lines().find(|line| line.starts_with(word)).unwrap().to_owned()
}

fn ask(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn run(folder: &Path, words: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.env("KEPT", "1").env("LEFT", "1").env_remove("TZ");
    assert!(command.arg("-p").arg(folder).args(words).status().unwrap().success());
}

#[test]
fn it_goes_to_the_background_as_another_user_with_its_limit_of_files() {
    if !process::is_ours() {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can become another user");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let conf = format!(
        "daemon on; user nobody; pid t.pid; worker_processes 2; worker_rlimit_nofile 777;
         worker_priority 5; worker_rlimit_core 1m; working_directory /proc; env KEPT; env SET=2;
         worker_cpu_affinity auto;
         error_log error.log; events {{ worker_connections 64; }}
         http {{ access_log access.log; server {{ listen 127.0.0.1:{port}; return 200 here; }} }}"
    );
    std::fs::write(folder.path().join("nginx.conf"), conf).unwrap();

    // The one in front comes back when the other listens.
    run(folder.path(), &[]);
    assert!(ask(port).ends_with("here"));
    let pid = std::fs::read_to_string(folder.path().join("t.pid")).unwrap().trim().to_owned();
    let uid = line(&pid, "status", "Uid:");
    assert!(uid.contains("\t0"), "the master keeps root's rights: {uid}");
    let pid = process::children(pid.parse().unwrap()).remove(0).to_string();
    let uid = line(&pid, "status", "Uid:");
    assert!(!uid.contains("\t0"), "{uid}");
    assert_eq!(line(&pid, "status", "CapPrm:"), "CapPrm:\t0000000000000000");
    assert_eq!(line(&pid, "status", "NoNewPrivs:"), "NoNewPrivs:\t1");
    // Two that serve, one that takes orders, one that listens to the master.
    assert_eq!(line(&pid, "status", "Threads:"), "Threads:\t4");
    assert!(line(&pid, "limits", "Max open files").contains(" 777 "));

    assert!(line(&pid, "limits", "Max core file size").contains(" 1048576 "));
    let stat = line(&pid, "stat", &pid);
    assert_eq!(stat.rsplit(") ").next().unwrap().split(' ').nth(16), Some("5"), "{stat}");
    assert_eq!(std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap(), Path::new("/proc"));
    let environment = std::fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
    let kept: Vec<&str> = environment.split('\0').filter(|one| !one.contains("TIDEGATE")).collect();
    assert_eq!(kept, ["KEPT=1", "SET=2", ""]);

    run(folder.path(), &["-s", "stop"]);
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(("127.0.0.1", port)).is_ok() {
        assert!(Instant::now() < deadline, "it still listens");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn too_few_descriptors_pause_it_and_it_recovers() {
    if !process::is_ours() {
        return;
    }
    let server = Tidegate::start(
        "worker_processes 1; worker_rlimit_nofile 40; error_log logs/error.log; events {}
         http { access_log off; server { listen 127.0.0.1:8080; location / { return 200 here; } } }",
    )
    .await;
    server.get("/").await.is(200);
    let mut many = Vec::new();
    for _ in 0..60 {
        many.push(server.connect().await);
    }
    server.logs("accept4() failed (24: Too many open files); a pause is made").await;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let lines = server.error_log().matches("accept4() failed").count();
    assert!(lines <= 4, "{lines} lines in some two seconds");
    drop(many);
    server.get("/").await.is(200).says("here");
}

#[tokio::test]
async fn a_worker_takes_no_more_connections_than_it_may() {
    if !process::is_ours() {
        return;
    }
    let server = Tidegate::start(
        "worker_processes 1; error_log logs/error.log; events { worker_connections 2; }
         http { server { listen 127.0.0.1:8080; location / { return 200 here; } } }",
    )
    .await;
    let ask = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut one = server.connect().await;
    one.send(ask).await;
    one.answer().await.is(200);
    let mut two = server.connect().await;
    two.send(ask).await;
    two.answer().await.is(200);
    let mut three = server.connect().await;
    three.send(ask).await;
    server.logs("2 worker_connections are not enough").await;
    drop(one);
    three.answer().await.is(200);
}
