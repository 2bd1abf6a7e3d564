//! Keepalive connections and pipelining.

use super::compare::{alike, echo};

#[tokio::test]
async fn connections_end_where_told() {
    alike(
        r#"
        server {
            listen 127.0.0.1:8080;
            keepalive_requests 3;
            location / { return 200 "$connection_requests"; }
        }
        server { listen 127.0.0.1:8081; keepalive_timeout 0; location / { return 200 "ok"; } }
        server { listen 127.0.0.1:8082; keepalive_timeout 60 30; location / { return 200 "ok"; } }
        server { listen 127.0.0.1:8083; keepalive_disable none; location / { return 200 "ok"; } }
        server { listen 127.0.0.1:8084; location / { return 200 "ok"; }
                 location /big { client_max_body_size 2; } location /c { chunked_transfer_encoding off; return 200 "x"; } }
        "#,
    )
    .answers(&[
        "/1", "/2", "/3", "/4", "/5", "@8081 /", "@8082 /", "@8082 / HTTP/1.0 | Connection: keep-alive",
        "/ HTTP/1.0 | Connection: keep-alive", "/ HTTP/1.0 | Connection: Keep-Alive",
        "@8084 / | User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)",
        "@8084 POST / | User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1) || x",
        "@8083 POST / | User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1) || x",
        "@8084 POST / || unread body",
        "@8084 /",
        "@8084 POST /big || unread body",
        "@8084 /c",
        "@8084 /missing HTTP/1.0 | Connection: keep-alive",
    ])
    .await;
}

#[tokio::test]
async fn pipelines() {
    let backend = echo(&[]).await;
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            location /text { return 200 "$uri $connection_requests"; }
            location /proxy { proxy_pass http://127.0.0.1:8090; }
        }"#,
    )
    .with_backend(8090, backend)
    .with_file("a.txt", "a")
    .mainline()
    .answers(&[
        "GET /text1 HTTP/1.1\r\nHost: a\r\n\r\nGET /text2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\nGET /missing HTTP/1.1\r\nHost: a\r\n\r\nGET /text HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "POST /text HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /text2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "POST /proxy HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /proxy2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "POST /proxy HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /proxy2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "POST /text HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /text2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /text HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /text2 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /text HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /text2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "HEAD /a.txt HTTP/1.1\r\nHost: a\r\n\r\nGET /text2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /text HTTP/1.1\r\nHost: a\r\n\r\nrubbish\r\n\r\n",
        "GET /text HTTP/1.1\r\nHost: a\r\n\r\nGET /text HTTP/1.1\r\n\r\n",
    ])
    .await;
}
