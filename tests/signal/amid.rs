//! Signals that come amid a reload, or while nobody serves.

use std::time::Duration;

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::harness::{Tidegate, eventually, process};

/// A configuration whose workers have another environment with every number.
fn conf(number: u32) -> String {
    format!(
        "user nobody; env NUMBER={number}; error_log logs/error.log notice; events {{}} http {{
         access_log off; server {{ listen 127.0.0.1:8080; location / {{ return 200 ok; }}
             location /slow {{ limit_rate 1k; root html; }} }} }}"
    )
}

/// Whether there are a master and a worker process.
fn is_split() -> bool {
    let is_split = process::is_ours() && geteuid().is_root();
    if !is_split {
        eprintln!("skipped: only root has two processes");
    }
    is_split
}

fn send(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

fn has_told(server: &Tidegate, words: &str) -> bool {
    server.error_log().contains(words)
}

#[tokio::test]
async fn term_does_not_wait_for_a_reload_that_waits_for_a_worker() {
    if !is_split() {
        return;
    }
    for is_asked in [false, true] {
        let mut server = Tidegate::start(&conf(0)).await;
        let worker = process::children(server.pid())[0];
        send(worker, Signal::STOP);
        let asks = is_asked.then(|| {
            let mut command = process::command(&process::binary(), server.folder());
            command.arg("reload").spawn().unwrap()
        });
        if !is_asked {
            server.signal(Signal::HUP);
        }
        server.logs("reconfiguring").await;
        server.signal(Signal::TERM);
        // The worker process would be waited for for a minute.
        server.logs("signal 15 (SIGTERM) received, exiting").await;
        send(worker, Signal::CONT);
        server.ends().await;
        if let Some(mut asks) = asks {
            assert_eq!(asks.wait().unwrap().code(), Some(1));
        }
    }
}

#[tokio::test]
async fn whoever_ends_starts_no_other_worker_process() {
    if !is_split() {
        return;
    }
    let start = Tidegate::start(&conf(0)).with_file("slow", "x".repeat(100_000));
    let mut server = start.await;
    let first = process::children(server.pid())[0];
    let mut slow = server.connect().await;
    slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    slow.until("xxx").await;
    server.put_conf(&conf(1));
    let output = server.command(&["reload"]);
    assert!(output.status.success(), "{output:?}");
    // Those that die young are followed after a pause that grows.
    while !server.error_log().contains("another is started in 200 ms") {
        let current = || process::children(server.pid()).into_iter().find(|pid| *pid != first);
        eventually("another one serves", || async {
            current().is_some_and(|pid| has_told(&server, &format!("start worker process {pid}")))
        })
        .await;
        let current = current().unwrap();
        send(current, Signal::KILL);
        server.logs(&format!("worker process {current} ended")).await;
    }
    server.signal(Signal::QUIT);
    server.logs("shutting down").await;
    // By then another would have been due.
    tokio::time::sleep(Duration::from_millis(400)).await;
    drop(slow);
    server.ends().await;
}
