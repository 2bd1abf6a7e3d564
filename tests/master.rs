//! The master keeps root's rights, and the worker process that serves has none: logs are opened,
//! files are read and sockets are bound for it, and one that dies is replaced.

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Client, Tidegate, eventually, process};

/// A server whose worker process is nobody's; `None`, told, without root's rights.
async fn split(http: &str) -> Option<Tidegate> {
    if !process::is_ours() {
        return None;
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root has two processes");
        return None;
    }
    Some(Tidegate::start(&whole(http)).await)
}

fn whole(http: &str) -> String {
    format!(
        "user nobody; error_log logs/error.log info; events {{}}
         http {{ access_log logs/access.log; {http} }}"
    )
}

fn says(word: &str) -> String {
    format!("server {{ listen 127.0.0.1:8080; location / {{ return 200 {word}; }} }}")
}

/// The number of the process that serves.
fn worker(server: &Tidegate) -> Option<i32> {
    process::children(server.pid()).first().copied()
}

#[tokio::test]
async fn logs_in_a_folder_of_roots_are_opened_anew() {
    let Some(server) = split(&says("here")).await else { return };
    let path = |name: &str| server.folder().join("logs").join(name);
    server.get("/before").await.is(200);
    server.access_log(1).await;
    for log in ["access.log", "error.log"] {
        std::fs::rename(path(log), path(&format!("{log}.1"))).unwrap();
    }
    assert!(server.command(&["-s", "reopen"]).status.success());
    eventually("the new log is written to", || async {
        server.get("/after").await.is(200);
        server.read("logs/access.log").contains("/after")
    })
    .await;
    assert!(server.read("logs/access.log.1").contains("/before"));
    assert!(!server.read("logs/access.log").contains("/before"));
}

#[tokio::test]
async fn a_reload_reads_and_binds_with_roots_rights() {
    use std::os::unix::fs::PermissionsExt;

    let Some(mut server) = split(&says("one")).await else { return };
    server.get("/").await.says("one");
    let secret = server.folder().join("secret.conf");
    std::fs::write(&secret, "return 200 two;").unwrap();
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::set_permissions(server.folder(), PermissionsExt::from_mode(0o700)).unwrap();
    let port = server.name_port(8081);
    server.reload(&whole(
        "access_log logs/other.log;
         server { listen 127.0.0.1:8080; listen 127.0.0.1:8081; include secret.conf; }",
    ));
    eventually("the new configuration holds", || async { server.get("/").await.text() == "two" })
        .await;
    Client::of_port(port).get("/").await.says("two");
    assert!(server.folder().join("logs/other.log").exists());
}

#[tokio::test]
async fn what_cannot_be_opened_changes_nothing() {
    let Some(mut server) = split(&says("one")).await else { return };
    server.get("/").await.says("one");
    server.reload(&whole(&format!("access_log nowhere/access.log; {}", says("two"))));
    server.logs("nowhere/access.log\" failed (2: No such file or directory)").await;
    server.logs("the old configuration holds on").await;
    server.get("/").await.says("one");
}

#[tokio::test]
async fn a_worker_that_dies_is_replaced_at_once() {
    let Some(server) = split(&says("here")).await else { return };
    server.get("/").await.says("here");
    for (signal, words) in [(Signal::KILL, "signal: 9"), (Signal::SEGV, "signal: 11")] {
        let before = worker(&server).expect("a worker");
        eventually("another worker", || async {
            // A fault that is sent, not made, is overlooked once by the language's own handler.
            let _ = kill_process(Pid::from_raw(before).unwrap(), signal);
            worker(&server).is_some_and(|now| now != before)
        })
        .await;
        // The socket is open all the time; nobody is refused.
        server.get("/").await.says("here");
        server.logs(&format!("worker process {before} ended ({words}")).await;
    }
}

#[tokio::test]
async fn a_worker_serves_on_when_the_master_has_died() {
    let Some(mut server) = split(&says("here")).await else { return };
    server.get("/").await.says("here");
    let worker = worker(&server).expect("a worker");
    server.signal(Signal::KILL);
    server.ends().await;
    server.get("/").await.says("here");
    server.logs("the master process has ended").await;
    kill_process(Pid::from_raw(worker).unwrap(), Signal::QUIT).unwrap();
    eventually("it ends", || async { !server.is_open().await }).await;
}
