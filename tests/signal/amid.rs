//! Signals that come amid a reload, or while nobody serves.

use std::time::Duration;

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::harness::{Connection, Tidegate, eventually, process};

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

/// A server that is amid an answer, the client, and the worker process.
async fn amid_an_answer() -> (Tidegate, Connection, i32) {
    let server = Tidegate::start(&conf(0)).with_file("slow", "x".repeat(3000)).await;
    let worker = process::children(server.pid())[0];
    let mut slow = server.connect().await;
    slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    slow.until("xxx").await;
    (server, slow, worker)
}

#[tokio::test]
async fn quit_does_not_wait_for_a_reload_that_waits_for_a_worker() {
    if !is_split() {
        return;
    }
    for (reloads, quits) in [(None, None), (Some("reload"), None), (None, Some("quit"))] {
        let (mut server, mut slow, worker) = amid_an_answer().await;
        server.put_file("slow_long", "x".repeat(100_000));
        let mut long = server.connect().await;
        long.send("GET /slow_long HTTP/1.1\r\nHost: a\r\n\r\n").await;
        long.until("xxx").await;
        send(worker, Signal::STOP);
        let ask = |word: &str| {
            let mut command = process::command(&process::binary(), server.folder());
            command.arg(word).spawn().unwrap()
        };
        let reloads = reloads.map(ask);
        if reloads.is_none() {
            server.signal(Signal::HUP);
        }
        server.logs("reconfiguring").await;
        let mut status = ask("status");
        let quits = quits.map(ask);
        if quits.is_none() {
            server.signal(Signal::QUIT);
        }
        // The worker process would be waited for for a minute.
        server.logs("the reload is given up: the server ends").await;
        server.logs("shutting down").await;
        send(worker, Signal::CONT);
        // Nobody is let in, though the worker process has the sockets of both configurations.
        let second = Duration::from_secs(1);
        eventually("nobody is let in", || async {
            tokio::time::timeout(second, server.is_open()).await == Ok(false)
        })
        .await;
        drop(long);
        // Nothing is lost of what has been begun.
        assert_eq!(slow.rest().await.len(), 2997);
        server.ends().await;
        let codes =
            [reloads, quits].map(|asked| asked.map(|mut asked| asked.wait().unwrap().code()));
        assert!(codes[0].is_none_or(|code| code == Some(1)), "{codes:?}");
        assert!(codes[1].is_none_or(|code| code == Some(0)), "{codes:?}");
        // Who asks meanwhile is answered, or hears that there is nobody any more.
        assert!(status.wait().unwrap().code().is_some());
    }
}

#[tokio::test]
async fn quit_amid_a_change_of_worker_processes_lets_both_finish() {
    if !is_split() {
        return;
    }
    let (mut server, mut slow, worker) = amid_an_answer().await;
    server.put_conf(&conf(1));
    send(worker, Signal::STOP);
    server.signal(Signal::HUP);
    let another = || process::children(server.pid()).into_iter().find(|pid| *pid != worker);
    eventually("another one serves", || async {
        another().is_some_and(|pid| has_told(&server, &format!("start worker process {pid}")))
    })
    .await;
    // The first is waited for now, to take no more connections.
    server.signal(Signal::QUIT);
    server.logs("shutting down").await;
    send(worker, Signal::CONT);
    assert_eq!(slow.rest().await.len(), 2997);
    server.ends().await;
}

#[tokio::test]
async fn quit_lets_a_worker_process_finish_that_has_just_begun_to_serve() {
    if !is_split() {
        return;
    }
    // With so many threads it answers before it has told the master that all of them serve.
    let many = |number| format!("worker_processes 100; {}", conf(number));
    for changes in [true, false] {
        let mut server = Tidegate::start(&many(0)).with_file("slow", "x".repeat(3000)).await;
        let first = process::children(server.pid())[0];
        send(first, if changes { Signal::STOP } else { Signal::KILL });
        server.put_conf(&many(1));
        if changes {
            server.signal(Signal::HUP);
        }
        let mut slow = server.connect().await;
        slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
        slow.until("xxx").await;
        let another = process::children(server.pid()).into_iter().find(|pid| *pid != first);
        let another = another.expect("another worker process");
        send(another, Signal::STOP);
        server.signal(Signal::QUIT);
        server.logs("shutting down").await;
        send(another, Signal::CONT);
        if changes {
            send(first, Signal::CONT);
        }
        assert_eq!(slow.rest().await.len(), 2997);
        server.ends().await;
    }
}

#[tokio::test]
async fn a_reload_that_is_given_up_leaves_no_unix_socket_behind() {
    if !is_split() {
        return;
    }
    let mut server = Tidegate::start(&conf(0)).await;
    let worker = process::children(server.pid())[0];
    send(worker, Signal::STOP);
    let path = server.folder().join("another.sock");
    let listen = format!("listen unix:{}; listen", path.display());
    server.reload(&conf(1).replace("listen", &listen));
    eventually("it is listened on", || async { path.exists() }).await;
    // The worker process is asked what it knows, for another one.
    server.signal(Signal::QUIT);
    server.logs("the reload is given up: the server ends").await;
    send(worker, Signal::CONT);
    server.ends().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn logs_that_are_opened_anew_are_the_same_for_a_worker_process_that_leaves() {
    if !is_split() {
        return;
    }
    let conf = |number: u32, logs: [&str; 2]| {
        let [first, second] = logs.map(|name| {
            format!("location /{name} {{ access_log logs/{name}.log; limit_rate 1k; root html; }}")
        });
        format!(
            "user nobody; env NUMBER={number}; error_log logs/error.log notice; events {{}} http {{
             access_log off; server {{ listen 127.0.0.1:8080; {first} {second} }} }}"
        )
    };
    let start = Tidegate::start(&conf(0, ["slow", "fast"]));
    let mut server = start.with_file("slow", "x".repeat(8000)).with_file("fast", "x").await;
    let mut slow = server.connect().await;
    slow.send("GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    slow.until("xxx").await;
    server.reload(&conf(1, ["fast", "slow"]));
    server.logs("the new configuration holds").await;
    let path = |name: &str| server.folder().join("logs").join(name);
    std::fs::rename(path("slow.log"), path("slow.old")).unwrap();
    server.signal(Signal::USR1);
    eventually("it is opened anew", || async { path("slow.log").exists() }).await;
    server.get("/fast").await.is(200);
    slow.rest().await;
    let told = |name: &str| server.read(&format!("logs/{name}.log")).lines().count();
    eventually("it is told", || async { told("slow") + told("fast") == 2 }).await;
    assert_eq!((told("slow"), told("fast")), (1, 1));
    assert!(server.read("logs/fast.log").contains("/fast"));
}

#[tokio::test]
async fn a_large_configuration_for_a_worker_that_stands_still_holds_up_no_signal() {
    if !is_split() {
        return;
    }
    let (mut server, mut slow, worker) = amid_an_answer().await;
    // More than the system keeps for who reads later.
    let large = format!("{}\n# {}", conf(0), "large ".repeat(1 << 18));
    server.put_conf(&large.replace("200 ok", "200 new"));
    send(worker, Signal::STOP);
    server.signal(Signal::HUP);
    server.logs("reconfiguring").await;
    server.signal(Signal::QUIT);
    server.logs("shutting down").await;
    assert!(!has_told(&server, "does not take the configuration"), "{}", server.error_log());
    send(worker, Signal::CONT);
    assert_eq!(slow.rest().await.len(), 2997);
    server.ends().await;
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
