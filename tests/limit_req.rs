//! limit_req: who asks too often waits, or is refused.

use std::time::{Duration, Instant};

use crate::harness::{DEADLINE, Tidegate};

#[tokio::test]
async fn a_request_above_the_rate_waits_for_its_turn() {
    let server = Tidegate::start(
        "limit_req_zone $binary_remote_addr zone=all:1m rate=10r/s;
         server { listen 127.0.0.1:8080; limit_req zone=all burst=5; }",
    )
    .with_file("index.html", "here")
    .await;
    let started = Instant::now();
    for _ in 0..4 {
        server.get("/").await.is(200);
    }
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(290), "{took:?}");
    assert!(took < DEADLINE / 2, "{took:?}");
    server.logs("[warn]").await;
    server.logs("delaying request, excess: ").await;
}

#[tokio::test]
async fn zones_are_shared_by_workers_and_kept_over_a_reload() {
    let conf = |rate: &str, key: &str| {
        format!(
            "worker_processes 3; error_log logs/error.log notice; events {{}} http {{
             limit_req_zone {key} zone=all:1m rate={rate};
             server {{ listen 127.0.0.1:8080; server_name site; limit_req zone=all burst=3 nodelay; }} }}"
        )
    };
    let mut server =
        Tidegate::start(&conf("1r/m", "$server_name$arg_k")).with_file("index.html", "here").await;
    // Each on a connection of its own, which any worker may take.
    for _ in 0..4 {
        server.get("/?k=a").await.is(200);
    }
    for _ in 0..3 {
        server.get("/?k=a").await.is(503);
    }
    server.reload(&conf("2r/m", "$server_name$arg_k"));
    server.logs("the new configuration holds").await;
    server.get("/?k=a").await.is(503);
    // Another key counts other things, so that the zone begins anew.
    server.reload(&conf("2r/m", "$arg_k"));
    crate::harness::eventually("the zone is new", || async {
        server.get("/?k=a").await.status == 200
    })
    .await;
}

#[tokio::test]
async fn who_leaves_while_waiting_is_not_served() {
    let server = Tidegate::start(
        "limit_req_zone $server_name zone=all:1m rate=1r/s;
         error_log logs/error.log info;
         server { listen 127.0.0.1:8080; server_name site; limit_req zone=all burst=9; }",
    )
    .with_file("index.html", "here")
    .await;
    server.get("/").await.is(200);
    let mut connection = server.connect().await;
    connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    server.logs("delaying request").await;
    drop(connection);
    server.logs("client prematurely closed connection").await;
    let lines = server.access_log(2).await;
    assert!(lines[1].contains("\"GET / HTTP/1.1\" 499 0"), "{lines:?}");
}
