//! Request heads: what is refused, and how.

use super::compare::alike;

const CONF: &str = r#"server {
    listen 127.0.0.1:8080;
    server_name localhost;
    location /echo { return 200 "$http_x_a|$http_x_b|$host|$http_host|$content_length|$content_type"; }
    location / { return 200 "ok"; }
}
server {
    listen 127.0.0.1:8081;
    underscores_in_headers on;
    location / { return 200 "$http_x_a|$http_x_b"; }
}
server {
    listen 127.0.0.1:8082;
    ignore_invalid_headers off;
    location / { return 200 "$http_x_a|$http_x_b"; }
}"#;

/// Without the body that it promises.
const TWO_LENGTHS: &str =
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n";

#[tokio::test]
async fn malformed_heads() {
    // nginx waits a while for a body whose length it has refused to believe; we end our side at once.
    alike(&format!("lingering_timeout 300ms; {CONF}"))
        .answers(&[
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost:\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: ..\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a..b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: .\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a:b\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a:99999999\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a@b\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: ä\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
            TWO_LENGTHS,
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nBad\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n: x\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : a\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n folded: x\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n\tfolded\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX-A: a\x00b\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX-A: a\x01b\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX-A: a\x7fb\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX-\x00A: b\r\nConnection: close\r\n\r\n",
            "GET /echo HTTP/1.1\r\nHost: a\r\nX-A: a\rb\r\nConnection: close\r\n\r\n",
            "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a\x7f HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "GET /a\tb HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "GET /ä HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\rHost: a\r\n\r\n",
            "FOO\x01 / HTTP/1.1\r\nHost: a\r\n\r\n",
            "G=T / HTTP/1.1\r\nHost: a\r\n\r\n",
        ])
        .await;
}

#[tokio::test]
async fn odd_but_accepted_heads() {
    alike(CONF)
        .answers(&[
            "/echo | X-A: 1 | X-A: 2",
            "/echo | x-a:no space",
            "/echo | X-A:   many   spaces   ",
            "/echo | X-A: \t tab\t",
            "/echo | X-A: ",
            "/echo | X_A: 1",
            "/echo | X-A: 1 | X_B: 2 | X-B.: 3",
            "/echo | X-A: ä",
            "/echo | Host: LOCALHOST:80",
            "/echo | Host: localhost.",
            "POST /echo | Content-Type: text/x || abc",
            "@8081 / | X_A: 1 | X-B: 2",
            "@8082 / | X!A: 1 | X_A: 2 | X-B: 3",
            "GET /echo HTTP/1.1\nHost: a\r\nX-A: bare LF\nConnection: close\n\n",
            "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-A: 1\r\r\n\r\n",
        ])
        .await;
}

#[tokio::test]
async fn limits() {
    let long = |length: usize| "a".repeat(length);
    let asks = [
        format!("/{}", long(900)),
        format!("/{}", long(1_100)),
        format!("/x | X-A: {}", long(900)),
        format!("/x | X-A: {}", long(1_100)),
        format!("/x | X-A: {0} | X-B: {0}", long(800)),
        format!("/x | X-A: {0} | X-B: {0} | X-C: {0}", long(900)),
        format!("HEAD /{}", long(1_100)),
        format!("POST /{} || x", long(1_100)),
        format!("HEAD /x | X-A: {}", long(1_100)),
        format!("HEAD {} HTTP/1.1\r\nHost: a\r\n\r\n", long(1_100)),
        format!("HEAD /{}\r\n", long(1_100)),
        format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", long(1_100)),
        format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", "A".repeat(1_100)),
        format!("HEAD /\x01{} HTTP/1.1\r\nHost: a\r\n\r\n", long(1_100)),
        format!("GET ?{} HTTP/1.1\r\nHost: a\r\n\r\n", long(1_100)),
        format!("/x{}", " | A: b".repeat(90)),
        format!("@8081 /{}", long(7_000)),
        format!("@8081 /{}", long(8_300)),
        format!("@8081 /x | X-A: {}", long(8_000)),
        format!("@8081 /x | X-A: {}", long(8_300)),
        format!("@8081 /x | A: {0} | B: {0} | C: {0} | D: {0}", long(7_900)),
        format!("@8081 /x | A: {0} | B: {0} | C: {0} | D: {0} | E: {0}", long(7_900)),
    ];
    let asks: Vec<&str> = asks.iter().map(String::as_str).collect();
    alike(
        r#"
        server {
            listen 127.0.0.1:8080;
            client_header_buffer_size 256;
            large_client_header_buffers 2 1k;
            location / { return 200 "ok"; }
        }
        server { listen 127.0.0.1:8081; location / { return 200 "ok"; } }
        "#,
    )
    .answers(&asks)
    .await;
}

#[tokio::test]
async fn the_number_of_fields_is_bounded() {
    alike(
        r#"server { listen 127.0.0.1:8080; max_headers 4; location / { return 200 "ok"; } }
           server { listen 127.0.0.1:8081; location / { return 200 "ok"; } }"#,
    )
    .mainline()
    .with_errors()
    .answers(&[
        "/ | A: 1 | B: 2 | C: 3",
        "/ | A: 1 | B: 2 | C: 3 | D: 4",
        "/ | A: 1 | B: 2 | C: 3 | D: 4 | E: 5",
        "@8081 / | A: 1 | B: 2 | C: 3 | D: 4 | E: 5",
    ])
    .await;
}

const CUT: &str = r#"log_format cut '"$request" $status $body_bytes_sent $request_length $uri $args $request_method
               "$host" "$http_host" $connection_requests $request_completion';
           access_log logs/access.log cut;
           server {
               listen 127.0.0.1:8080;
               client_header_timeout 300ms;
               location / { return 200 "ok"; }
           }"#;

#[tokio::test]
async fn heads_that_do_not_come_to_their_end() {
    let asks = [
        "⊣",
        "G⊣",
        "GET /x⊣",
        "GET /x HTTP/1.1⊣",
        "GET /x HTTP/1.1\r⊣",
        "GET /x HTTP/1.1\r\n⊣",
        "GET /x?a=b HTTP/1.1\r\nHost: q\r\n⊣",
        "HEAD /x HTTP/1.1\r\nHost: q\r\nX: y⊣",
        "GET / HTTP/1.1\r\nHost: q\r\n\r\n⊣",
        "GET / HTTP/1.1\r\nHost: q\r\n\r\nGET /x⊣",
        "GET / HTTP/1.1\r\nHost: q\r\n\r\nGET /x HTTP/1.1\r\nHos⊣",
    ];
    // Their end has to have come by then.
    let cut = CUT.replace("client_header_timeout 300ms;", "");
    alike(&cut).with_errors().answers(&asks).await;
    // The C libraries of the two have different words for this.
    alike(CUT).answers(&["GET /x HTTP/1.1\r", "GET /x HTTP/1.1\r\nHost: q\r\n"]).await;
}
