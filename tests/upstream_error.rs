//! The error log and `$upstream_error`: why an upstream did not answer, and the mend.

use std::os::unix::fs::PermissionsExt;

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Backend, Tidegate};

/// Reads a little, says these bytes, and hangs up.
async fn says(bytes: &'static [u8]) -> Backend {
    Backend::raw(move |mut stream| async move {
        let mut buffer = [0; 16_000];
        let _ = stream.read(&mut buffer).await;
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
    })
    .await
}

#[tokio::test]
async fn each_failure_is_one_line_with_its_mend() {
    let silent = says(b"").await;
    let (late, _held) = crate::fault::silent();
    let stalls = Backend::raw(|stream| async move {
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        drop(stream);
    })
    .await;
    let tls = says(b"\x15\x03\x01\x00\x02\x02\x46").await;
    let http2 = says(b"\0\0\x12\x04\0\0\0\0\0").await;
    let mail = says(b"220 mail.example ready\r\n").await;
    let big =
        Backend::http(|_| format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(5000))).await;
    let bad = Backend::uwsgi(|_| "HTTP/1.1 400 Bad\r\nConnection: close\r\n\r\nwhat?".into()).await;
    let server = Tidegate::start(
        "log_format errors escape=none '$uri $status $upstream_error';
         access_log logs/access.log errors;
         upstream none { server 127.0.0.1:8099 down; }
         server {
             listen 127.0.0.1:8080;
             client_header_buffer_size 16k;
             large_client_header_buffers 4 16k;
             location /refused { proxy_pass http://127.0.0.1:8098; }
             location /missing { uwsgi_pass unix:missing.sock; }
             location /left { uwsgi_pass unix:left.sock; }
             location /silent { proxy_pass http://127.0.0.1:8090; }
             location /uwsgi { uwsgi_pass 127.0.0.1:8090; }
             location /stalls { proxy_read_timeout 100ms; proxy_pass http://127.0.0.1:8091; }
             location /tls { proxy_pass http://127.0.0.1:8092; }
             location /http2 { proxy_pass http://127.0.0.1:8093; }
             location /mail { proxy_pass http://127.0.0.1:8094; }
             location /big { proxy_pass http://127.0.0.1:8095; }
             location /bad { uwsgi_pass 127.0.0.1:8096; }
             location /full { uwsgi_pass unix:full.sock; }
             location /late { proxy_connect_timeout 100ms; proxy_pass http://127.0.0.1:8097; }
             location /name { proxy_pass http://no-such-host.invalid; }
             location /none { proxy_pass http://none; }
         }",
    )
    .with_port(8090, silent.port())
    .with_port(8091, stalls.port())
    .with_port(8092, tls.port())
    .with_port(8093, http2.port())
    .with_port(8094, mail.port())
    .with_port(8095, big.port())
    .with_port(8096, bad.port())
    .with_port(8097, late.local_addr().unwrap().as_socket().unwrap().port())
    .await;
    let full = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    let path = SockAddr::unix(server.folder().join("full.sock")).unwrap();
    full.bind(&path).and_then(|()| full.listen(0)).unwrap();
    let first = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    first.connect(&path).unwrap();
    drop(std::os::unix::net::UnixListener::bind(server.folder().join("left.sock")).unwrap());
    let vars = format!("/uwsgi | X-Long: {}", "x".repeat(5000));
    let expected = [
        (
            "/refused",
            502,
            "connect() failed (111: Connection refused) while connecting to upstream (nobody listens on 127.0.0.1:8098: is the application started",
        ),
        (
            "/missing",
            502,
            "connect() to unix:missing.sock failed (2: No such file or directory) while connecting to upstream (there is no such socket: is the application started",
        ),
        (
            "/left",
            502,
            "failed (111: Connection refused) while connecting to upstream (the socket was left behind",
        ),
        (
            "/full",
            502,
            "failed (11: Resource temporarily unavailable) while connecting to upstream (all places of its backlog are taken: more workers, or a longer one",
        ),
        (
            "/late",
            504,
            "upstream timed out (110: Connection timed out) while connecting to upstream (proxy_connect_timeout is 100ms; a firewall may drop what is sent",
        ),
        (
            "/silent",
            502,
            "upstream prematurely closed connection while reading response header from upstream (it hung up without a word: does it speak HTTP? uWSGI's `socket` wants uwsgi_pass",
        ),
        ("/uwsgi", 502, "does it speak uwsgi? What listens by `http`"),
        (&vars, 502, "; uWSGI's default buffer-size is 4096"),
        (
            "/stalls",
            504,
            "upstream timed out (110: Connection timed out) while reading response header from upstream (the application is silent for proxy_read_timeout, 100ms: raise it",
        ),
        ("/tls", 502, "which is TLS: use https:// in proxy_pass"),
        ("/http2", 502, "which is HTTP/2: use grpc_pass"),
        ("/mail", 502, "(it says \"220 mail.example\": does it speak HTTP?)"),
        (
            "/big",
            502,
            "upstream sent too big header while reading response header from upstream (its header does not fit into proxy_buffer_size, 4k",
        ),
        (
            "/bad",
            400,
            "upstream answered 400 (as servers of HTTP do to what they do not understand",
        ),
        ("/name", 502, "no-such-host.invalid could not be resolved ("),
        (
            "/none",
            502,
            "no live upstreams while connecting to upstream (of 1 server 1 is marked down)",
        ),
    ];
    for (number, (ask, status, words)) in expected.into_iter().enumerate() {
        let before = server.error_log().len();
        server.get(ask.strip_prefix("GET ").unwrap_or(ask)).await.is(status);
        server.access_log(number + 1).await;
        let log = server.anonymous(&server.error_log()[before..]);
        let told: Vec<_> = log.lines().filter(|line| line.contains("upstream: \"")).collect();
        assert!(told.len() == 1 && told[0].contains(words), "{ask}: {words}\n{log}");
        let line = server.anonymous(&server.access_log(number + 1).await[number]);
        // The log's own words; what was answered is no error.
        assert!(line.contains(words) || status == 400, "{line}");
    }
}

#[tokio::test]
async fn missing_rights_are_told_with_whose_they_are() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can become another user");
        return;
    }
    // Workers that may do less than the owner of the socket.
    let server = Tidegate::start(
        "user nobody nogroup; events {} error_log logs/error.log info; http { upstream_wait off;
         log_format errors escape=json '{\"error\":\"$upstream_error\"}'; access_log logs/access.log errors;
         server { listen 127.0.0.1:8080; location / { uwsgi_pass unix:app.sock; }
                  location /in { uwsgi_pass unix:closed/app.sock; } } }",
    )
    .await;
    let folder = server.folder();
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::create_dir(folder.join("closed")).unwrap();
    std::fs::set_permissions(folder.join("closed"), std::fs::Permissions::from_mode(0o700))
        .unwrap();
    let _app = std::os::unix::net::UnixListener::bind(folder.join("app.sock")).unwrap();
    let mode = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(folder.join("app.sock"), mode).unwrap();
    server.get("/").await.is(502);
    server.logs("[crit]").await;
    server.logs("failed (13: Permission denied) while connecting to upstream (workers run as user 65534, the socket has mode 640, user 0, group 0: let them write").await;
    server.get("/in").await.is(502);
    server.logs("who may not enter the folder closed").await;
    // The same words for tools, a value of JSON.
    let lines = server.access_log(2).await;
    assert!(lines[0].contains("user 0, group 0: let them write"), "{lines:?}");
    assert!(lines[1].contains("who may not enter the folder closed: chmod"), "{lines:?}");
    assert!(lines.iter().all(|line| line.starts_with("{\"error\":\"connect() to unix:")));
}
