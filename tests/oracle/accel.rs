//! X-Accel-Redirect and its relatives, and Upgrade.

use super::compare::{alike, echo};

#[tokio::test]
async fn an_application_may_name_the_charset() {
    let backend = echo(&[
        ("/known", "HTTP/1.1 200 OK\r\nX-Accel-Charset: koi8-r\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n\u{e9}"),
        ("/map", "HTTP/1.1 200 OK\r\nX-Accel-Charset: utf-8\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n\u{e9}"),
        ("/own", "HTTP/1.1 200 OK\r\nX-Accel-Charset: koi8-r\r\nContent-Type: text/html; charset=latin\r\nContent-Length: 2\r\n\r\n\u{e9}"),
        ("/unknown", "HTTP/1.1 200 OK\r\nX-Accel-Charset: klingon\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n\u{e9}"),
        ("/empty", "HTTP/1.1 200 OK\r\nX-Accel-Charset: \r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n\u{e9}"),
    ])
    .await;
    alike(
        r#"
        charset_map latin utf-8 { E9 C3A9; }
        server {
            listen 127.0.0.1:8080;
            location /app/ { proxy_pass http://127.0.0.1:8090/; }
            location /said/ { charset windows-1251; proxy_pass http://127.0.0.1:8090/; }
            location /ignored/ { charset koi8-r; proxy_ignore_headers X-Accel-Charset; proxy_pass http://127.0.0.1:8090/; }
        }"#,
    )
    .with_backend(8090, backend)
    .mainline()
    .answers(&[
        "/app/known", "/app/map", "/app/own", "/app/unknown", "/app/empty", "/said/known", "/said/map",
        "/said/unknown", "/said/empty", "/ignored/known", "/ignored/unknown",
    ])
    .await;
}

#[tokio::test]
async fn what_an_application_may_ask_for() {
    let backend = echo(&[
        ("/file", "HTTP/1.1 200 OK\r\nX-Accel-Redirect: /protected/a.txt\r\nContent-Type: text/own\r\nContent-Disposition: attachment\r\nSet-Cookie: a=b\r\nCache-Control: private\r\nX-Lost: 1\r\nContent-Length: 4\r\n\r\nbody"),
        ("/notype", "HTTP/1.1 200 OK\r\nX-Accel-Redirect: /protected/a.txt\r\nContent-Length: 0\r\n\r\n"),
        ("/encoded", "HTTP/1.1 200 OK\r\nX-Accel-Redirect: /protected/with%20space.txt\r\nContent-Length: 0\r\n\r\n"),
        ("/spaced", "HTTP/1.1 200 OK\r\nX-Accel-Redirect: /protected/with space.txt\r\nContent-Length: 0\r\n\r\n"),
        ("/query", "HTTP/1.1 200 OK\r\nX-Accel-Redirect: /show?x=1\r\nContent-Length: 0\r\n\r\n"),
        ("/named", "HTTP/1.1 200 OK\r\nX-Accel-Redirect: @named\r\nContent-Length: 0\r\n\r\n"),
        ("/unsafe", "HTTP/1.1 200 OK\r\nX-Accel-Redirect: /protected/../../etc/passwd\r\nContent-Length: 0\r\n\r\n"),
        ("/missing", "HTTP/1.1 200 OK\r\nX-Accel-Redirect: /protected/none\r\nContent-Length: 0\r\n\r\n"),
        ("/code", "HTTP/1.1 403 Forbidden\r\nX-Accel-Redirect: /protected/a.txt\r\nContent-Length: 0\r\n\r\n"),
        ("/proxied", "HTTP/1.1 200 OK\r\nX-Accel-Redirect: /inner/x\r\nContent-Length: 0\r\n\r\n"),
        ("/charset", "HTTP/1.1 200 OK\r\nX-Accel-Charset: koi8-r\r\nContent-Type: text/html\r\nContent-Length: 1\r\n\r\nx"),
        ("/buffering", "HTTP/1.1 200 OK\r\nX-Accel-Buffering: no\r\nX-Accel-Limit-Rate: 100000\r\nX-Accel-Expires: 10\r\nContent-Length: 1\r\n\r\nx"),
    ])
    .await;
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            location /app/ { proxy_pass http://127.0.0.1:8090/; add_header X-Here 1; }
            location /ignore/ { proxy_ignore_headers X-Accel-Redirect; proxy_pass http://127.0.0.1:8090/; }
            location /shown/ { proxy_ignore_headers X-Accel-Redirect; proxy_pass_header X-Accel-Redirect; proxy_pass http://127.0.0.1:8090/; }
            location /protected/ { internal; alias html/private/; add_header X-There "$upstream_http_x_lost"; }
            location /show { internal; return 200 "$uri|$args|$request_uri|$request_method"; }
            location /inner/ { internal; proxy_pass http://127.0.0.1:8090; }
            location @named { return 200 "named $uri"; }
        }"#,
    )
    .with_backend(8090, backend)
    .with_file("private/a.txt", "private")
    .with_file("private/with space.txt", "spaced")
    .mainline()
    .answers(&[
        "/app/file", "HEAD /app/file", "POST /app/file || abc", "/app/notype", "/app/encoded", "/app/spaced",
        "/app/query", "POST /app/query || abc", "/app/named", "POST /app/named || abc", "/app/unsafe", "/app/missing", "/app/code",
        "/app/proxied", "POST /app/proxied || abc", "/app/charset", "/app/buffering", "/ignore/file",
        "/shown/file", "/protected/a.txt", "/app/file | Range: bytes=0-1",
    ])
    .await;
}

#[tokio::test]
async fn upgrades() {
    let backend = echo(&[(
        "/socket",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\nConnection: close\r\n\r\nhello",
    )])
    .await;
    alike(
        r#"
        map $http_upgrade $connection_upgrade { default upgrade; '' close; }
        server {
            listen 127.0.0.1:8080;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            location / { proxy_pass http://127.0.0.1:8090; }
        }"#,
    )
    .with_backend(8090, backend)
    .mainline()
    .answers(&[
        "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n",
        "/plain | Connection: Upgrade | Upgrade: websocket",
        "/plain",
    ])
    .await;
}
