//! What is known of clients and servers goes on with another worker process, and with another program.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::geteuid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Backend, Tidegate, eventually, process};

fn conf(user: &str) -> String {
    format!(
        "{user} error_log logs/error.log info; events {{}} http {{ access_log off;
         limit_req_zone $arg_client zone=one:1m rate=1r/m;
         upstream app {{ server 127.0.0.1:8090 max_fails=1 fail_timeout=60s;
             server 127.0.0.1:8091 max_fails=1 fail_timeout=60s; }}
         upstream checked {{ zone checked 64k; server 127.0.0.1:8091; server 127.0.0.1:8092; }}
         upstream learned {{ zone learned 64k; server 127.0.0.1:8091; server 127.0.0.1:8093;
             sticky learn create=$upstream_http_sid lookup=$arg_sid zone=sids:64k; }}
         server {{ listen 127.0.0.1:8080;
             location / {{ root html; limit_req zone=one; }}
             location /app {{ proxy_pass http://app; }}
             location /checked {{ proxy_pass http://checked; health_check interval=1h; }}
             location /learned {{ proxy_pass http://learned; }} }} }}"
    )
}

/// A backend that is unwell when it is checked first, and says nothing to later checks; to requests
/// it says its name.
async fn ailing() -> Backend {
    let checks = Arc::new(AtomicUsize::new(0));
    Backend::raw(move |mut stream| {
        let checks = Arc::clone(&checks);
        async move {
            let mut head = [0; 4096];
            let length = stream.read(&mut head).await.unwrap_or_default();
            let is_check = head[..length].starts_with(b"GET / ");
            if is_check && checks.fetch_add(1, Ordering::Relaxed) > 0 {
                std::future::pending::<()>().await;
            }
            let status = if is_check { "500 Unwell" } else { "200 OK" };
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 6\r\n\r\nailing");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    })
    .await
}

fn status(server: &Tidegate) -> String {
    let output = server.command(&["status"]);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// One that has asked before is still limited, and the server that failed is left alone.
async fn goes_on(server: &Tidegate, dead: u16) {
    server.get("/page?client=a").await.is(503);
    server.get("/page?client=b").await.is(503);
    let line = format!("127.0.0.1:{dead} ");
    let text = status(server);
    let told = text.lines().find_map(|text| text.trim().strip_prefix(&line));
    assert!(told.is_some_and(|told| !told.starts_with("up")), "{text}");
    let before = server.error_log().matches("connect() failed").count();
    for _ in 0..4 {
        server.get("/app").await.is(200);
    }
    assert_eq!(server.error_log().matches("connect() failed").count(), before);
    assert!(text.contains(&format!("127.0.0.1:{} unhealthy", server.port(8092))), "{text}");
    for _ in 0..4 {
        server.get("/checked").await.is(200).says("well");
    }
    // Without what was learned they would take turns.
    for sid in ["one", "one", "one", "two", "two", "two"] {
        let name = if sid == "one" { "well" } else { "two" };
        server.get(&format!("/learned?sid={sid}")).await.is(200).says(name);
    }
}

#[tokio::test]
async fn counts_and_failures_go_on_with_whoever_serves_next() {
    if !process::is_ours() {
        return;
    }
    let is_root = geteuid().is_root();
    let user = |name: &str| if is_root { format!("user {name};") } else { String::new() };
    let answer = |name: &'static str, sid: &'static str| {
        move |_: &str| {
            let length = name.len();
            format!("HTTP/1.1 200 OK\r\nSid: {sid}\r\nContent-Length: {length}\r\n\r\n{name}")
        }
    };
    let backend = Backend::http(answer("well", "one")).await;
    let second = Backend::http(answer("two", "two")).await;
    let ailing = ailing().await;
    let mut server = Tidegate::start(&conf(&user("nobody")))
        .with_file("page", "a page")
        .with_port(8091, backend.port())
        .with_port(8092, ailing.port())
        .with_port(8093, second.port())
        .await;
    let dead = server.port(8090);
    for client in ["a", "b"] {
        server.get(&format!("/page?client={client}")).await.is(200);
    }
    for _ in 0..2 {
        server.get("/app").await.is(200);
    }
    server.logs("connect() failed").await;
    server.logs("peer is unhealthy").await;
    for _ in 0..2 {
        server.get("/learned").await.is(200);
    }
    goes_on(&server, dead).await;
    if is_root {
        server.put_conf(&conf(&user("daemon")));
        assert!(server.command(&["reload"]).status.success());
        server.logs("another worker process serves").await;
        goes_on(&server, dead).await;
    }
    let output = server.command(&["upgrade"]);
    assert!(output.status.success(), "{output:?}");
    server.ends().await;
    goes_on(&server, dead).await;
    assert!(server.command(&["quit"]).status.success());
    eventually("it ends", || async { !server.is_open().await }).await;
}
