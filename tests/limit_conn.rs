//! limit_conn: who has too many connections at work is refused.

use crate::harness::{Backend, Tidegate, eventually};

const CONF: &str = "
    limit_conn_zone $arg_k zone=clients:1m;
    limit_conn_zone $server_name zone=servers:1m;
    log_format limits '$arg_k $status $limit_conn_status';
    server {
        listen 127.0.0.1:8080;
        server_name site;
        access_log logs/access.log limits;
        limit_conn clients 2;
        location / { proxy_pass http://127.0.0.1:8090; }
        location /dry { limit_conn clients 1; limit_conn_dry_run on; root html; try_files /a =404; }
        location /told { limit_conn clients 1; limit_conn_status 429; limit_conn_log_level warn; root html; }
        location /both { limit_conn clients 9; limit_conn servers 1; proxy_pass http://127.0.0.1:8090; }
    }";

/// A backend that never answers.
async fn silent() -> Backend {
    Backend::raw(|stream| async move {
        let _stream = stream;
        std::future::pending::<()>().await;
    })
    .await
}

#[tokio::test]
async fn places_are_held_while_a_request_lasts() {
    let backend = silent().await;
    let server = Tidegate::start(CONF).with_port(8090, backend.port()).with_file("a", "A").await;
    let at = &server;
    let ask = |path: &'static str| async move {
        let mut connection = at.connect().await;
        connection.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        connection
    };
    let (first, second) = (ask("/?k=1").await, ask("/?k=1").await);
    eventually("both are at work", || async { server.get("/told?k=1").await.status == 429 }).await;
    server.logs("[warn]").await;
    server.logs("limiting connections by zone \"clients\", client: 127.0.0.1").await;
    eventually("a third is refused", || async { server.get("/?k=1").await.status == 503 }).await;
    server.get("/dry?k=1").await.is(200);
    server.logs("limiting connections, dry run by zone \"clients\"").await;
    // Another client has places of its own, but for a zone that all share.
    let third = ask("/both?k=2").await;
    eventually("the server has its one", || async { server.get("/both?k=3").await.status == 503 })
        .await;
    drop((first, second, third));
    eventually("the places are free", || async { server.get("/told?k=1").await.status == 404 })
        .await;
    let all = server.access_log(8).await.join("\n");
    for line in ["1 429 REJECTED", "1 503 REJECTED", "1 200 REJECTED_DRY_RUN", "1 499 PASSED"] {
        assert!(all.contains(line), "{line} is not in\n{all}");
    }
}

#[tokio::test]
async fn places_are_held_over_a_reload() {
    let backend = silent().await;
    let mut server =
        Tidegate::start(CONF).with_port(8090, backend.port()).with_file("a", "A").await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut connection = server.connect().await;
        connection.send("GET /?k=1 HTTP/1.1\r\nHost: a\r\n\r\n").await;
        held.push(connection);
    }
    eventually("both are at work", || async { server.get("/told?k=1").await.status == 429 }).await;
    let conf = CONF.replace("limit_conn_status 429", "limit_conn_status 430");
    server.reload(&conf);
    eventually("the reload holds", || async { server.get("/told?k=1").await.status == 430 }).await;
    drop(held);
    eventually("the places are free", || async { server.get("/told?k=1").await.status == 404 })
        .await;
}
