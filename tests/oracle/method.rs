//! Methods, versions and what files make of them.

use super::compare::alike;

#[tokio::test]
async fn methods() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            location /text { return 200 "$request_method"; }
            location /limited { limit_except GET POST { deny all; } return 200 "not limited: return comes first"; }
            location /files/ { limit_except GET { deny all; } }
        }"#,
    )
    .with_file("a.txt", "a")
    .with_file("files/a.txt", "a")
    .with_file("dir/x", "x")
    .answers(&[
        "HEAD /a.txt", "POST /a.txt || x", "PUT /a.txt || x", "DELETE /a.txt", "OPTIONS /a.txt",
        "PATCH /a.txt || x", "TRACE /a.txt", "CONNECT /a.txt", "PROPFIND /a.txt", "FOO /a.txt",
        "get /a.txt", "Get /a.txt", "GET2 /a.txt", "A-B_C /a.txt", "POST /missing || x", "POST /dir || x",
        "POST /dir/ || x", "HEAD /missing", "HEAD /dir", "OPTIONS /text", "TRACE /text", "FOO /text",
        "CONNECT localhost:80", "CONNECT localhost:80 HTTP/1.1 | Host: localhost:80",
        "PUT /text || x", "HEAD /text", "POST /limited || x", "PUT /limited || x", "/files/a.txt",
        "HEAD /files/a.txt", "PUT /files/a.txt || x", "POST /files/a.txt || x", "DELETE /files/a.txt",
    ])
    .await;
}

#[tokio::test]
async fn versions() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            location /text { return 200 "$server_protocol"; }
        }"#,
    )
    .with_file("a.txt", "a")
    .answers(&[
        "/text HTTP/1.0",
        "/text HTTP/1.0 | Host: -",
        "/a.txt HTTP/1.0 | Connection: keep-alive",
        "/a.txt | Connection: close",
        "/a.txt | Connection: Close",
        "/a.txt | Connection: keep-alive",
        "/a.txt | Connection: foo, close",
        "/a.txt | Connection: upgrade | Upgrade: websocket",
        "GET /text HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /text HTTP/1.2\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /text HTTP/1.10\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /text HTTP/2.0\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /text HTTP/3.1\r\nHost: a\r\n\r\n",
        "GET /text HTTP/0.9\r\nHost: a\r\n\r\n",
        "GET /text HTTP/1\r\nHost: a\r\n\r\n",
        "GET /text HTTP/1.\r\nHost: a\r\n\r\n",
        "GET /text HTTP/01.1\r\nHost: a\r\n\r\n",
        "GET /text http/1.1\r\nHost: a\r\n\r\n",
        "GET /text FOO/1.1\r\nHost: a\r\n\r\n",
        "GET /text HTTP/1.1 \r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET  /text  HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /te xt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /text\r\n",
        "GET /a.txt\r\n",
        "GET /missing\r\n",
        "\r\n\r\nGET /text HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /text HTTP/1.1\nHost: a\nConnection: close\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\x16\x03\x01\x02\r\n",
        "GET\r\n\r\n",
        "GET \r\n\r\n",
        " GET / HTTP/1.1\r\n\r\n",
    ])
    .await;
}

#[tokio::test]
async fn every_method_at_every_kind_of_content() {
    let methods = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "MKCOL", "COPY",
        "MOVE", "LOCK", "UNLOCK", "TRACE", "QUERY",
    ];
    let paths = [
        "/a.txt",
        "/dir",
        "/dir/",
        "/missing",
        "/text",
        "/page",
        "/denied",
        "/limit",
        "/limit/post",
        "/status",
        "/moved",
        "/named",
        "/listing/",
        "/app",
    ];
    let mut asks = Vec::new();
    for method in methods {
        for path in paths {
            asks.push(format!("{method} {path}"));
            if matches!(method, "POST" | "PUT" | "PATCH" | "QUERY" | "DELETE") {
                asks.push(format!("{method} {path} || some text"));
            }
        }
    }
    let asks: Vec<&str> = asks.iter().map(String::as_str).collect();
    let backend = super::compare::echo(&[]).await;
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            location /text { return 200 "$request_method|$request_length"; }
            location /page { return 404; error_page 404 /sorry; }
            location = /sorry { return 200 "$request_method"; }
            location /denied { deny all; }
            location /limit { limit_except GET { deny all; } proxy_pass http://127.0.0.1:8090; }
            location /limit/post { limit_except POST PUT { deny all; } proxy_pass http://127.0.0.1:8090; }
            location /status { return 204; }
            location /moved { return 301 /text; }
            location /named { error_page 404 = @named; try_files /none =404; }
            location @named { return 200 "named $request_method"; }
            location /listing/ { autoindex on; }
            location /app { proxy_pass http://127.0.0.1:8090; }
        }"#,
    )
    .with_file("a.txt", "a")
    .with_file("dir/index.html", "index")
    .with_file("listing/x", "x")
    .with_backend(8090, backend)
    .answers(&asks)
    .await;
}
