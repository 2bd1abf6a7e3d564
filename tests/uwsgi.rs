//! uwsgi_pass: sockets, params that need not be there, and packets that are too large.

use crate::harness::{Backend, Tidegate, process};

#[tokio::test]
async fn unix_sockets_have_two_spellings() {
    let server = Tidegate::start(
        "upstream app { server unix:app.sock; }
         server {
            listen 127.0.0.1:8080;
            uwsgi_param PATH_INFO $document_uri;
            location /one { uwsgi_pass unix:app.sock; }
            location /two { uwsgi_pass app; }
        }",
    )
    .await;
    let socket = server.folder().join("app.sock");
    let backend = Backend::uwsgi_at(&socket, |packet| {
        let path = packet.lines().find_map(|line| line.strip_prefix("PATH_INFO="));
        format!("HTTP/1.1 200 OK\r\n\r\n{}", path.unwrap_or_default())
    });
    server.get("/one").await.is(200).says("/one");
    server.get("/two").await.is(200).says("/two");
    drop(backend);
}

#[tokio::test]
async fn a_unix_socket_may_have_three_slashes() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let socket = folder.path().join("app.sock");
    let backend = Backend::uwsgi_at(&socket, |_| "HTTP/1.1 200 OK\r\n\r\nhello".to_owned());
    let server = Tidegate::start(&format!(
        "upstream app {{ server unix://{0}; }}
         server {{
             listen 127.0.0.1:8080;
             location /one {{ uwsgi_pass unix://{0}; }}
             location /two {{ uwsgi_pass app; }}
             location /three {{ uwsgi_pass uwsgi://unix:{0}; }}
         }}",
        socket.display()
    ))
    .await;
    for path in ["/one", "/two", "/three"] {
        server.get(path).await.is(200).says("hello");
    }
    drop(backend);
}

/// How many closed connections to a port the kernel remembers.
fn remembered(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the kernel's table");
    let states = table.lines().filter_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, state) = (fields.next()?, fields.nth(1)?);
        local.ends_with(&format!(":{port:04X}")).then(|| state.to_owned())
    });
    states.filter(|state| state == "06").count()
}

#[tokio::test]
async fn connections_that_the_application_has_closed_are_not_remembered() {
    let app = Backend::uwsgi(|_| "HTTP/1.1 200 OK\r\n\r\nhello".to_owned()).await;
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8080; location / { uwsgi_pass 127.0.0.1:8090; } }",
    )
    .with_port(8090, app.port())
    .await;
    // Others may have used the port before.
    let before = remembered(app.port());
    for _ in 0..20 {
        server.get("/").await.is(200).says("hello");
    }
    assert_eq!(app.connections(), 20);
    assert!(remembered(app.port()) <= before, "{} of 20", remembered(app.port()) - before);
}

#[tokio::test]
async fn params_are_built_in() {
    if !process::is_ours() {
        return;
    }
    let backend = Backend::uwsgi(|packet| format!("HTTP/1.1 200 OK\r\n\r\n{packet}")).await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            location / { include uwsgi_params; uwsgi_pass 127.0.0.1:8090; }
            location /etc { include /etc/nosuch/uwsgi_params; uwsgi_pass 127.0.0.1:8090; }
        }",
    )
    .with_port(8090, backend.port())
    .await;
    for path in ["/", "/etc"] {
        let answer = server.get(&format!("{path}?a=b")).await;
        answer.is(200).mentions("QUERY_STRING=a=b\n").mentions("REQUEST_METHOD=GET\n");
        answer.mentions(&format!("PATH_INFO={path}\n")).mentions("HTTP_HOST=localhost\n");
    }
}

#[tokio::test]
async fn a_packet_that_is_too_large_is_not_sent() {
    let backend = Backend::uwsgi(|_| "HTTP/1.1 200 OK\r\n\r\nhello".to_owned()).await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            large_client_header_buffers 20 32k;
            location / { uwsgi_pass 127.0.0.1:8090; }
        }",
    )
    .with_port(8090, backend.port())
    .await;
    let long = "x".repeat(30_000);
    server.ask(&format!("/ | X-A: {long} | X-B: {long}")).await.is(200).says("hello");
    backend.received();
    server.ask(&format!("/ | X-A: {long} | X-B: {long} | X-C: {long}")).await.is(500);
    assert!(backend.received().is_empty());
}

#[tokio::test]
async fn uwsgi_next_upstream_names_the_answers_that_another_is_asked_after() {
    let busy = Backend::uwsgi(|_| "HTTP/1.1 503 Busy\r\n\r\nbusy".to_owned()).await;
    let free = Backend::uwsgi(|_| "HTTP/1.1 200 OK\r\n\r\nfree".to_owned()).await;
    let server = Tidegate::start(
        "upstream app { server 127.0.0.1:8090 max_fails=0; server 127.0.0.1:8091 backup; }
         server {
            listen 127.0.0.1:8080;
            location /on { uwsgi_next_upstream http_503; uwsgi_pass app; }
            location /off { uwsgi_next_upstream error; uwsgi_pass app; }
         }",
    )
    .with_port(8090, busy.port())
    .with_port(8091, free.port())
    .await;
    server.get("/on").await.is(200).says("free");
    server.get("/off").await.is(503).says("busy");
}
