//! Checks of servers that speak other protocols than HTTP, or at another port.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use super::told;
use crate::harness::backend::fastcgi;
use crate::harness::{Backend, Tidegate, backend, eventually};

#[tokio::test]
async fn every_protocol_is_checked_in_its_own_words() {
    let code = Arc::new(AtomicU16::new(500));
    let said = |code: &Arc<AtomicU16>| format!("Status: {}\r\n\r\nx", code.load(Ordering::Relaxed));
    let (one, two) = (Arc::clone(&code), Arc::clone(&code));
    let uwsgi = Backend::uwsgi(move |_| said(&one)).await;
    let php = Backend::fastcgi(move |_| fastcgi::answer(&said(&two))).await;
    let (health, up) = (Arc::clone(&code), "\0\0\0\0\x02\x08\x01");
    let grpc = Backend::http2(move |_| {
        let state = if health.load(Ordering::Relaxed) == 200 { up } else { "\0\0\0\0\x02\x08\x02" };
        format!("200\ncontent-type: application/grpc\n\n{state}\n\ngrpc-status: 0")
    })
    .await;
    let server = Tidegate::start(
        "upstream uwsgi { server 127.0.0.1:8090; }
         upstream php { server 127.0.0.1:8091; }
         upstream grpc { server 127.0.0.1:8092; }
         upstream tcp { server 127.0.0.1:8098; server 127.0.0.1:8090; }
         server {
             listen 127.0.0.1:8080;
             upstream_wait off;
             location /uwsgi {
                 uwsgi_pass uwsgi;
                 uwsgi_param PATH_INFO $document_uri;
                 uwsgi_param QUERY_STRING $query_string;
                 health_check interval=30ms uri=/up?x;
             }
             location /php {
                 fastcgi_pass php;
                 fastcgi_param SCRIPT_NAME $fastcgi_script_name;
                 health_check interval=30ms uri=/up.php;
             }
             location /grpc { grpc_pass grpc; health_check interval=30ms type=grpc grpc_service=a.B; }
             location /tcp { proxy_pass http://tcp; health_check interval=30ms type=tcp; }
         }",
    )
    .with_port(8090, uwsgi.port())
    .with_port(8091, php.port())
    .with_port(8092, grpc.port())
    .await;
    eventually("all are unwell", || async {
        super::status(&server).matches("unhealthy").count() == 4
    })
    .await;
    for path in ["/uwsgi", "/php", "/grpc"] {
        server.get(path).await.is(502);
    }
    server.logs("peer is unhealthy: the service is not served").await;
    server.logs("peer is unhealthy: connect() failed (111: Connection refused)").await;
    code.store(200, Ordering::Relaxed);
    eventually("three are well", || async {
        super::status(&server).matches("unhealthy").count() == 1
    })
    .await;
    for path in ["/uwsgi", "/php", "/grpc"] {
        server.get(path).await.is(200);
    }
    let packet = uwsgi.received().remove(0);
    assert!(packet.contains("PATH_INFO=/up\n") && packet.contains("QUERY_STRING=x\n"), "{packet}");
    let asked = php.received().remove(0);
    assert!(asked.contains("SCRIPT_NAME=/up.php"), "{asked}");
    let asked = grpc.received().remove(0);
    assert!(asked.contains("/grpc.health.v1.Health/Check") && asked.contains("a.B"), "{asked}");
}

#[tokio::test]
async fn another_port_may_be_asked_and_scgi_speaks_for_itself() {
    let code = Arc::new(AtomicU16::new(500));
    let said = Arc::clone(&code);
    let scgi =
        Backend::scgi(move |_| format!("Status: {}\r\n\r\nscgi", said.load(Ordering::Relaxed)))
            .await;
    let app = Backend::http(|_| backend::ok("app")).await;
    let (well, always) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(true)));
    let aside = told("aside", &well).await;
    let other = told("other", &always).await;
    // 5: the method is not known, which is what must be said.
    let status = Arc::new(AtomicU16::new(0));
    let code_of = Arc::clone(&status);
    let grpc = Backend::http2(move |_| {
        let code = code_of.load(Ordering::Relaxed);
        format!(
            "200\ncontent-type: application/grpc\n\n\0\0\0\0\x02\x08\x01\n\ngrpc-status: {code}"
        )
    })
    .await;
    let conf = format!(
        "upstream scgi {{ server 127.0.0.1:8090; }}
         upstream app {{ server 127.0.0.1:8091; }}
         upstream late {{ server 127.0.0.1:8093; }}
         upstream grpc {{ server 127.0.0.1:8094; }}
         server {{
             listen 127.0.0.1:8080;
             upstream_wait off;
             location /scgi {{
                 scgi_pass scgi;
                 scgi_param REQUEST_URI $request_uri;
                 health_check interval=30ms uri=/up?x;
             }}
             location /app {{ proxy_pass http://app; health_check interval=30ms uri=/health port={}; }}
             location /late {{ proxy_pass http://late; health_check interval=10ms jitter=1h; }}
             location /grpc {{ grpc_pass grpc; health_check interval=30ms type=grpc grpc_status=5; }}
         }}",
        aside.port()
    );
    let server = Tidegate::start(&conf)
        .with_port(8090, scgi.port())
        .with_port(8091, app.port())
        .with_port(8093, other.port())
        .with_port(8094, grpc.port())
        .await;
    eventually("three are unwell", || async {
        super::status(&server).matches("unhealthy").count() == 3
    })
    .await;
    for path in ["/scgi", "/app", "/grpc"] {
        server.get(path).await.is(502);
    }
    server.logs("peer is unhealthy: grpc-status 0 was sent").await;
    assert_eq!(app.count(), 0, "the server's own port is not asked");
    assert!(aside.count() > 0);
    code.store(200, Ordering::Relaxed);
    well.store(true, Ordering::Relaxed);
    status.store(5, Ordering::Relaxed);
    eventually("all are well", || async { !super::status(&server).contains("unhealthy") }).await;
    server.get("/scgi").await.is(200).says("scgi");
    server.get("/app").await.is(200).says("app");
    server.get("/grpc").await.is(200);
    let asked = scgi.received().remove(0);
    assert!(asked.contains("REQUEST_URI=/up?x\n"), "{asked}");
    eventually("there were some checks", || async { aside.count() > 20 }).await;
    // Those that may be late by an hour come three times as often otherwise.
    assert!(other.count() < 5, "{}", other.count());
}
