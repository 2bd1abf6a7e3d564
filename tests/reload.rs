//! Reloading: what succeeds drops nothing, and what fails changes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Backend, Tidegate, eventually, process};

fn says(word: &str) -> String {
    format!("server {{ listen 127.0.0.1:8080; location / {{ return 200 {word}; }} }}")
}

#[tokio::test]
async fn a_reload_under_load_loses_no_request() {
    let mut server = Tidegate::start(&says("word0")).await;
    let client = server.at(8080);
    client.get("/").await.says("word0");
    let stop = Arc::new(AtomicBool::new(false));
    let workers: Vec<_> = (0..4)
        .map(|number| {
            let stop = stop.clone();
            // nginx closes idle connections in a race with the next request; tidegate does not.
            let keeps = number % 2 == 0 && process::is_ours();
            tokio::spawn(async move {
                let mut count = 0;
                let mut connection = client.connect().await;
                while !stop.load(Ordering::Relaxed) {
                    connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
                    let answer = connection.answer().await;
                    assert!(answer.text().starts_with("word"), "{answer:?}");
                    count += 1;
                    if !keeps || !answer.keeps_alive() {
                        connection = client.connect().await;
                    }
                }
                count
            })
        })
        .collect();
    for number in 1..=5 {
        let word = format!("word{number}");
        server.reload(&says(&word));
        eventually(&word, || async { client.get("/").await.text() == word }).await;
    }
    stop.store(true, Ordering::Relaxed);
    for worker in workers {
        assert!(worker.await.expect("no request is lost") > 0);
    }
}

#[tokio::test]
async fn a_bad_reload_changes_nothing() {
    let mut server = Tidegate::start(&says("old")).await;
    server.get("/").await.says("old");
    server.reload("server { listen 127.0.0.1:8080; no_such_directive on; }");
    server.logs("unknown directive \"no_such_directive\"").await;
    server.get("/").await.is(200).says("old");
    server.reload(&says("new"));
    eventually("the mended configuration", || async { server.get("/").await.text() == "new" })
        .await;
}

#[tokio::test]
async fn a_request_in_progress_keeps_its_configuration() {
    let backend = Backend::raw(|mut stream| async move {
        let mut buffer = [0; 1024];
        let _ = stream.read(&mut buffer).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nbegu").await;
        // The rest comes once the test connects again.
        let mut byte = [0];
        let _ = stream.read(&mut byte).await;
    })
    .await;
    let conf = |word: &str| {
        format!(
            "server {{
                listen 127.0.0.1:8080;
                location /word {{ return 200 {word}; }}
                location / {{ proxy_buffering off; add_header X-Word {word}; proxy_pass http://127.0.0.1:8090; }}
            }}"
        )
    };
    let mut server = Tidegate::start(&conf("old")).with_port(8090, backend.port()).await;
    let mut slow = server.connect().await;
    slow.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let begun = slow.until("begu").await;
    server.reload(&conf("new"));
    eventually("the new one", || async { server.get("/word").await.text() == "new" }).await;
    assert!(begun.contains("X-Word: old"), "{begun}");
}

#[tokio::test]
async fn ports_come_and_go() {
    let mut server = Tidegate::start(&says("one")).await;
    server.get("/").await.says("one");
    let second = server.name_port(8081);
    server.reload(&says("two").replace("listen", "listen 127.0.0.1:8081; listen"));
    let other = crate::harness::Client::of_port(second);
    eventually("the new port", || async { other.is_open().await }).await;
    other.get("/").await.says("two");
    server.reload(&says("three"));
    eventually("the port is closed", || async { !other.is_open().await }).await;
    server.get("/").await.says("three");
}

#[tokio::test]
async fn a_hangup_without_change_is_harmless() {
    let server = Tidegate::start(&says("same")).await;
    server.get("/").await.says("same");
    for _ in 0..3 {
        server.signal(Signal::HUP);
        server.get("/").await.says("same");
    }
}

#[tokio::test]
async fn what_takes_a_restart_is_told() {
    let whole = |workers: u32| {
        format!(
            "worker_processes {workers}; error_log logs/error.log warn; events {{}} http {{ {} }}",
            says("same")
        )
    };
    let mut server = Tidegate::start(&whole(1)).await;
    if !process::is_ours() {
        return;
    }
    server.reload(&whole(2));
    server.logs("\"worker_processes\" has changed, which takes a restart").await;
    server.get("/").await.says("same");
}
