//! early_hints: an upstream's answers with status 103 are sent on where that is said.

use crate::harness::{Backend, Tidegate, http2, process};

/// What a client gets, without the fields that each server has of its own.
async fn got(server: &Tidegate, request: &str) -> String {
    let bytes = server.at(8080).request(request).await;
    let text = String::from_utf8(bytes).expect("a text");
    let own = |line: &&str| !(line.starts_with("Date: ") || line.starts_with("Server: "));
    text.split("\r\n").filter(own).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn hints_come_before_the_answer() {
    let app = Backend::http(|request| {
        let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX-Hidden: 1\r\nDate: then\r\nX-Accel-Expires: 1\r\n\r\n";
        // nginx sends on what concerns the connection, too.
        let hop = if request.starts_with("GET /said/hop") { "Connection: close\r\n\r\n" } else { "\r\n" };
        let hints = hints.strip_suffix("\r\n").expect("a line").to_owned() + hop;
        let hints = if request.starts_with("GET /endless") { hints.repeat(200) } else { hints.repeat(2) };
        format!("{hints}HTTP/1.1 200 OK\r\nContent-Length: 2\r\nLink: </a.css>\r\n\r\nok")
    })
    .await;
    let conf = "
        proxy_hide_header X-Hidden;
        http2 on;
        server {
            listen 127.0.0.1:8080;
            location / { proxy_pass http://127.0.0.1:8090; }
            location /said { early_hints $arg_empty $arg_hints; proxy_pass http://127.0.0.1:8090; }
            location /endless { early_hints 1; proxy_pass http://127.0.0.1:8090; }
        }";
    let ours = Tidegate::start(conf).with_port(8090, app.port()).await;
    let text =
        got(&ours, "GET /said?hints=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let hint = "HTTP/1.1 103 Early Hints\nLink: </a.css>; rel=preload\n\n";
    assert!(text.starts_with(&format!("{hint}{hint}HTTP/1.1 200 OK\n")), "{text}");

    let request = "GET /said/hop?hints=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert!(got(&ours, request).await.starts_with(&format!("{hint}{hint}HTTP/1.1 200 OK\n")));
    // Over HTTP/2, too.
    let mut client = ours.http2().await;
    client.head(&http2::get("/said?hints=1", &[]), http2::END_STREAM).await;
    for status in ["103", "103", "200"] {
        let frame = client.until(http2::HEADERS).await;
        let has = |name: &str, value: &str| frame.fields.contains(&(name.into(), value.into()));
        assert!(has(":status", status), "{:?}", frame.fields);
        assert!(status == "200" || has("link", "</a.css>; rel=preload"), "{:?}", frame.fields);
    }

    let Some(oracle) = crate::oracle::nginx::oracle().filter(|_| process::is_ours()) else {
        return;
    };
    let nginx = Tidegate::start(conf).with_binary(&oracle.binary).with_port(8090, app.port()).await;
    for request in [
        "GET /said?hints=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /said?hints=0 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /said?hints=1 HTTP/1.0\r\nHost: a\r\n\r\n",
        "HEAD /said?hints=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ] {
        assert_eq!(got(&ours, request).await, got(&nginx, request).await, "{request}");
    }
    let request = "GET /endless HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    for server in [&ours, &nginx] {
        let text = got(server, request).await;
        let hints = text.matches("HTTP/1.1 103 ").count();
        assert!((20..60).contains(&hints) && text.ends_with("\n\nok"), "{text}");
        server.logs("upstream sent too big early hints while reading response header").await;
    }
}
