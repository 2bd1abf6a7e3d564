//! upstream: a dead backend costs no client an error.

mod idle;
mod lent;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::harness::{Backend, Tidegate, backend, eventually};

#[tokio::test]
async fn a_backend_that_dies_under_load_costs_nobody_an_error() {
    let first = Backend::http(|_| backend::ok("first")).await;
    let second = Backend::http(|_| backend::ok("second")).await;
    let server = Tidegate::start(
        "upstream app { server 127.0.0.1:8090; server 127.0.0.1:8091; }
         server { listen 127.0.0.1:8080; location / { proxy_pass http://app; } }",
    )
    .with_port(8090, first.port())
    .with_port(8091, second.port())
    .await;
    let stop = Arc::new(AtomicBool::new(false));
    let client = server.at(8080);
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let stop = stop.clone();
            tokio::spawn(async move {
                let mut seen = [0, 0];
                while !stop.load(Ordering::Relaxed) {
                    let answer = client.get("/").await;
                    seen[usize::from(answer.is(200).text() == "second")] += 1;
                }
                seen
            })
        })
        .collect();
    eventually("the first is asked often", || async { first.count() > 20 }).await;
    drop(first);
    for _ in 0..100 {
        server.get("/").await.is(200);
    }
    stop.store(true, Ordering::Relaxed);
    let mut total = [0, 0];
    for worker in workers {
        let seen = worker.await.expect("no client sees an error");
        total = [total[0] + seen[0], total[1] + seen[1]];
    }
    assert!(total[0] > 0 && total[1] > 50, "{total:?}");
}

#[tokio::test]
async fn one_that_failed_is_left_alone_and_tried_again() {
    let second = Backend::http(|_| backend::ok("second")).await;
    let server = Tidegate::start(
        "upstream app { server 127.0.0.1:8098 fail_timeout=4s; server 127.0.0.1:8091; }
         server {
             listen 127.0.0.1:8080;
             location / { proxy_pass http://app; add_header X-Addr $upstream_addr; }
         }",
    )
    .with_port(8091, second.port())
    .await;
    let tries =
        |answer: &crate::harness::Answer| answer.field("X-Addr").unwrap().split(", ").count();
    let mut counts = Vec::new();
    for _ in 0..10 {
        counts.push(tries(server.get("/").await.is(200)));
    }
    assert_eq!(counts.iter().filter(|count| **count == 2).count(), 1, "{counts:?}");
    eventually("it is tried again", || async { tries(server.get("/").await.is(200)) == 2 }).await;
}

#[tokio::test]
async fn requests_are_shared_out() {
    let first = Backend::http(|_| backend::ok("first")).await;
    let second = Backend::http(|_| backend::ok("second")).await;
    let server = Tidegate::start(
        "upstream app { server 127.0.0.1:8090 weight=3; server 127.0.0.1:8091; }
         server { listen 127.0.0.1:8080; location / { proxy_pass http://app; } }",
    )
    .with_port(8090, first.port())
    .with_port(8091, second.port())
    .await;
    for _ in 0..40 {
        server.get("/").await.is(200);
    }
    assert_eq!((first.received().len(), second.received().len()), (30, 10));
}

#[tokio::test]
async fn idle_connections_are_used_by_whichever_worker_needs_one() {
    let app = Backend::http(|_| backend::ok("app")).await;
    let group =
        |number: u32| format!("upstream app{number} {{ server 127.0.0.1:8090; keepalive 8; }}");
    let groups = (0..20).map(group).collect::<Vec<_>>().join("\n");
    let server = Tidegate::start(&format!(
        "worker_processes 4; error_log logs/error.log; events {{}}
         http {{ {groups} server {{ listen 127.0.0.1:8080; location / {{ proxy_pass http://$arg_to;
             proxy_http_version 1.1; proxy_set_header Connection \"\"; }} }} }}"
    ))
    .with_port(8090, app.port())
    .await;
    // Spread over the workers: each gets two.
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(server.connect().await);
    }
    let mut used = Vec::new();
    for number in 0..20 {
        let before = app.connections();
        for client in &mut clients {
            client.send(format!("GET /?to=app{number} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
            client.answer().await.is(200).says("app");
            // The answer is there a moment before its connection is idle.
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        if app.connections() == before + 1 {
            return;
        }
        used.push(app.connections() - before);
    }
    panic!("each worker has its own: {used:?}");
}

#[tokio::test]
async fn idle_connections_over_tls_are_used_by_whichever_worker_needs_one() {
    let group = |number: u32| format!("upstream app{number} {{ server 127.0.0.1:8443; }}");
    let groups = (0..20).map(group).collect::<Vec<_>>().join("\n");
    let server = Tidegate::start(&format!(
        "worker_processes 4; error_log logs/error.log; events {{}}
         http {{ {groups} ssl_certificate cert.pem; ssl_certificate_key key.pem;
         server {{ listen 127.0.0.1:8443 ssl; return 200 $connection; }}
         server {{ listen 127.0.0.1:8080;
             location / {{ proxy_pass https://$arg_to; proxy_ssl_session_reuse off; }} }} }}"
    ))
    .with_certificate(&["localhost"])
    .await;
    // Spread over the workers.
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(server.at(8080).connect().await);
    }
    let mut used = Vec::new();
    for number in 0..20 {
        let mut numbers = BTreeSet::new();
        for client in &mut clients {
            client.send(format!("GET /?to=app{number} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
            let answer = client.answer().await;
            answer.is(200);
            numbers.insert(answer.text());
        }
        // An answer is there a moment before its connection is idle.
        if numbers.len() == 1 {
            return;
        }
        used.push(numbers.len());
    }
    panic!("each worker has its own: {used:?}");
}
