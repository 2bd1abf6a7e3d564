//! health_check, match: servers that are not well are found before a client finds them.

mod protocols;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use crate::harness::{Backend, Tidegate, backend, eventually};

/// A server that is well, or not, as it is told.
async fn told(name: &'static str, well: &Arc<AtomicBool>) -> Backend {
    let well = Arc::clone(well);
    Backend::http(move |request| match (request.starts_with("GET /health"), &well) {
        (true, well) if !well.load(Ordering::Relaxed) => {
            "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n".to_owned()
        }
        _ => backend::ok(name),
    })
    .await
}

fn status(server: &Tidegate) -> String {
    let output = server.command(&["status"]);
    server.anonymous(&String::from_utf8_lossy(&output.stdout))
}

#[tokio::test]
async fn who_fails_is_passed_over_until_it_passes() {
    let (well, always) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(true)));
    let first = told("first", &well).await;
    let second = told("second", &always).await;
    let mut server = Tidegate::start(
        "upstream app { server 127.0.0.1:8090; server 127.0.0.1:8091; server 127.0.0.1:8092 down; }
         server {
             listen 127.0.0.1:8080;
             location / {
                 proxy_pass http://app;
                 proxy_set_header X-Check yes;
                 health_check interval=30ms jitter=5ms fails=2 passes=2 uri=/health?a=b;
             }
         }",
    )
    .with_port(8090, first.port())
    .with_port(8091, second.port())
    .await;
    eventually("both are checked", || async { first.count() > 2 && second.count() > 2 }).await;
    let asked = first.received().remove(0);
    assert!(asked.starts_with("GET /health?a=b HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("\r\nHost: app\r\n") && asked.contains("X-Check: yes\r\n"), "{asked}");
    assert!(asked.contains("(health check)\r\n"), "{asked}");
    let all = "upstream app:\n  127.0.0.1:8090 up, 0 connections\n  127.0.0.1:8091 up, 0 connections\n  127.0.0.1:8092 down, 0 connections\n";
    assert!(status(&server).ends_with(all), "{}", status(&server));

    well.store(false, Ordering::Relaxed);
    server.logs("peer is unhealthy: status 503 was sent, health check \"\" of peer").await;
    for _ in 0..6 {
        server.get("/").await.is(200).says("second");
    }
    assert!(status(&server).contains("127.0.0.1:8090 unhealthy"));
    // A reload forgets nothing, and the checks go on by what it says.
    let conf =
        "upstream app { server 127.0.0.1:8090; server 127.0.0.1:8091; server 127.0.0.1:8092 down; }
         server {
             listen 127.0.0.1:8080;
             location / { proxy_pass http://app; health_check interval=20ms uri=/health/2; }
         }";
    server.reload(conf);
    eventually("the checks are the new ones", || async {
        first.received().iter().any(|asked| asked.starts_with("GET /health/2 "))
    })
    .await;
    assert!(status(&server).contains("127.0.0.1:8090 unhealthy"));
    first.received();
    server.get("/").await.is(200).says("second");
    let old = |asked: &String| asked.starts_with("GET /health?");
    assert!(!first.received().iter().any(old), "the old checks have ended");

    well.store(true, Ordering::Relaxed);
    server.logs("peer is healthy, health check \"\" of peer").await;
    let mut seen = [false, false];
    for _ in 0..4 {
        seen[usize::from(server.get("/").await.is(200).text() == "second")] = true;
    }
    assert_eq!(seen, [true, true]);
}

#[tokio::test]
async fn what_is_mandatory_is_waited_for() {
    let code = Arc::new(AtomicU16::new(0));
    let told = Arc::clone(&code);
    let app = Backend::raw(move |mut stream| {
        let told = Arc::clone(&told);
        async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let mut request = vec![0; 4096];
            let Ok(length) = stream.read(&mut request).await else { return };
            if request[..length].starts_with(b"GET /health") {
                while told.load(Ordering::Relaxed) == 0 {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
            }
            let code = told.load(Ordering::Relaxed).max(200);
            let head = format!("HTTP/1.1 {code} X\r\nContent-Length: 2\r\n\r\nok");
            let _ = stream.write_all(head.as_bytes()).await;
        }
    })
    .await;
    let conf = |upstream_wait: &str, more: &str| {
        format!(
            "upstream app {{ server 127.0.0.1:8090; }}
             server {{
                 listen 127.0.0.1:8080;
                 upstream_wait {upstream_wait};
                 location / {{
                     proxy_pass http://app;
                     health_check interval=30ms uri=/health mandatory {more};
                 }}
             }}"
        )
    };
    let mut server = Tidegate::start(&conf("off", "")).with_port(8090, app.port()).await;
    eventually("it is not known yet", || async { status(&server).contains("8090 checking") }).await;
    server.get("/").await.is(502);
    server.logs("no live upstreams while connecting to upstream (of 1 server 1 has not passed its health check)").await;
    // It is well now, and asked.
    code.store(200, Ordering::Relaxed);
    server.logs("peer is healthy").await;
    server.get("/").await.is(200);
    // A reload asks anew, unless it is told that it need not.
    code.store(0, Ordering::Relaxed);
    server.reload(&conf("5s", ""));
    eventually("it is checked anew", || async { status(&server).contains("checking") }).await;
    let client = server.at(8080);
    let waiting = tokio::spawn(async move { client.get("/").await.status });
    server.logs("the request waits for it").await;
    code.store(200, Ordering::Relaxed);
    assert_eq!(waiting.await.unwrap(), 200);
    code.store(0, Ordering::Relaxed);
    server.reload(&conf("off", "persistent"));
    server.get("/").await.is(200);
    assert!(status(&server).contains("127.0.0.1:8090 up"));
    // Where all are unwell the client is told so.
    code.store(500, Ordering::Relaxed);
    server.logs("peer is unhealthy: status 500 was sent").await;
    server.get("/").await.is(502);
}

#[tokio::test]
async fn an_answer_is_judged_by_its_match() {
    let answer = |field: &'static str, body: &'static str| {
        Backend::http(move |_| {
            let length = body.len();
            format!(
                "HTTP/1.1 202 X\r\n{field}\r\nX-App: v2\r\nContent-Length: {length}\r\n\r\n{body}"
            )
        })
    };
    let good = answer("X-State: 1", "all is well").await;
    let others = [
        answer("X-State: 1", "all is lost").await,
        answer("X-State: 0", "all is well").await,
        answer("X-Bad: 1\r\nX-State: 1", "all is well").await,
        answer("X-App: v1\r\nX-State: 1", "all is well").await,
    ];
    let mut start = Tidegate::start(
        "upstream app {
             server 127.0.0.1:8090; server 127.0.0.1:8091; server 127.0.0.1:8092;
             server 127.0.0.1:8093; server 127.0.0.1:8094;
         }
         match well {
             status 200 202-204;
             status ! 500-599;
             header X-App = v2;
             header X-State ~ ^[01]$;
             header ! X-Bad;
             body ~ \"is well\";
             body !~ lost;
             require $upstream_http_x_state;
         }
         server {
             listen 127.0.0.1:8080;
             location / { proxy_pass http://app; health_check interval=50ms match=well keepalive_time=10s; }
         }",
    )
    .with_port(8090, good.port());
    for (port, other) in (8091..).zip(&others) {
        start = start.with_port(port, other.port());
    }
    let server = start.await;
    eventually("four are found", || async { status(&server).matches("unhealthy").count() == 4 })
        .await;
    for why in [
        "the body, of which 11 bytes were looked at, is not what it must be, health check \"well\"",
        "$upstream_http_x_state is empty or 0",
        "the field \"X-Bad: 1\" was sent",
        "the field \"X-App: v1\" was sent",
    ] {
        server.logs(&format!("peer is unhealthy: {why}")).await;
    }
    eventually("one connection is kept for checks", || async { good.count() > 4 }).await;
    assert_eq!(good.connections(), 1);
    for _ in 0..4 {
        server.get("/").await.is(202).says("all is well");
    }
}

#[tokio::test]
async fn what_cannot_be_checked_so_is_refused() {
    let check = |http: &str, words: &str| {
        let conf = format!(
            "{http} server {{ listen 127.0.0.1:8080; location / {{ proxy_pass http://127.0.0.1:8090; health_check {words}; }} }}"
        );
        Tidegate::start(&conf).check(&["-t"])
    };
    for (http, words, fault) in [
        ("", "match=gone", "match \"gone\" is not found"),
        ("", "type=grpc", "\"health_check\" with \"type=grpc\" requires \"grpc_pass\""),
        ("", "persistent", "\"persistent\" parameter requires \"mandatory\""),
        ("", "fails=0", "invalid parameter \"fails=0\""),
        ("", "type=tcp uri=/x", "\"uri\" is incompatible with \"type=tcp\""),
        ("match a { status 99; }", "match=a", "invalid value \"99\""),
        ("match a { body = x; }", "match=a", "invalid parameter \"=\""),
        ("match a { require x; }", "match=a", "invalid variable name \"x\""),
        ("match a { shape round; }", "match=a", "unknown \"match\" test \"shape\""),
        ("match a {} match a {}", "match=a", "duplicate match \"a\""),
    ] {
        let (good, text) = check(http, words);
        assert!(!good && text.contains(fault), "{http} {words}: {text}");
    }
    let (good, text) = check("match a {}", "match=a interval=1s jitter=100ms port=81");
    assert!(good && !text.contains("warn"), "{text}");
}
