//! Header fields of any shape.

use super::{Seed, texts};
use crate::oracle::compare::{alike, echo};

const FIELDS: &[&str] = &[
    "X_A: under",
    "X-A: dash",
    "X-A : space",
    ": none",
    "X A: two words",
    "X-A",
    "X\tA: tab",
    "-A: dash first",
    "X-Ä: umlaut",
    "X-A: \t b \t",
    "X-A:",
    "X-A:b",
    "a.b: dot",
    "a$b: dollar",
    "a@b: at",
    "X-A: a\u{1}b",
    "X-A: a\tb",
    "X-A: ä",
    "Content-Length: 0",
    "Content-Length: 5, 5",
    "Content-Length: +5",
    "Content-Length: -1",
    "Content-Length: 0x5",
    "Content-Length: 99999999999999999999",
    "Content-Length:",
    "Content-Length: 0 | Content-Length: 0",
    "Content-Length: 0 | Content-Length: 1",
    "Transfer-Encoding: gzip",
    "Transfer-Encoding: identity",
    "Transfer-Encoding: chunked, chunked",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding:",
    "Expect: x",
    "Connection: close",
    "Connection: Close",
    "Connection: a, close",
    "Connection: keep-alive, X-A",
    "Connection: x",
    "Connection:",
    "Keep-Alive: 5",
    "Upgrade: x",
    "TE: trailers",
    "Trailer: X-A",
    "Proxy-Connection: close",
    "Cookie: a=1; b=2",
    "Cookie: ;a=1;;",
    "Cookie: a",
    "Cookie: a=\"1; b=2\"",
    "Cookie: A=3",
    "Cookie: a=1 | Cookie: a=2",
    "Range: bytes=0-1",
    "Authorization: Basic YTpi",
    "Authorization: Basic",
    "Authorization: basic YTpi",
    "Authorization: Basic  YTpi",
    "Authorization: Basic YTpi=",
    "Authorization: Basic OmI=",
    "Authorization: Bearer x",
    "User-Agent:",
    "User-Agent: Mozilla/4.0 (MSIE 6.0)",
    "Referer: http://a/",
    "If-Modified-Since: x",
    "X-Forwarded-For: 1.1.1.1",
    "X-Forwarded-For: 1.1.1.1 | X-Forwarded-For: 2.2.2.2",
    "Host: other",
    "x-a: lower",
    "X-A: one | X-A: two",
    "Content-Type: text/plain | Content-Type: text/html",
    " X-A: folded",
    "\tX-A: folded",
    "X-A: a\"b",
    "X-A: a%20b",
    "Accept: *",
    "Via: 1.1 x",
];

fn some(seed: &mut Seed) -> String {
    let port = seed.one(&["", "", "@8081 ", "@8082 "]);
    let path =
        seed.one(&["/", "/", "/up", "/up", "HEAD /", "POST /up", "/ HTTP/1.0", "/up HTTP/1.0"]);
    let mut ask = format!("{port}{path}");
    for _ in 0..=seed.below(3) {
        ask += &format!(" | {}", seed.one(FIELDS));
    }
    ask
}

const SHOWN: &str = "$http_x_a|$http_a|$cookie_a|$cookie_b|$http_cookie|$remote_user|$content_length|\
    $content_type|$http_host|$http_connection|$http_user_agent|$http_x_forwarded_for|\
    $proxy_add_x_forwarded_for|$http_a_b|$http_transfer_encoding";

#[tokio::test]
async fn together() {
    let backend = echo(&[]).await;
    let asks = Seed(6).asks(350, some);
    let location = format!(
        "location / {{ return 200 \"{SHOWN}\"; }} location /up {{ proxy_pass http://127.0.0.1:8090; }}"
    );
    alike(&format!(
        "server {{ listen 127.0.0.1:8080; {location} }}
         server {{ listen 127.0.0.1:8081; underscores_in_headers on; {location} }}
         server {{ listen 127.0.0.1:8082; ignore_invalid_headers off; {location} }}"
    ))
    .with_backend(8090, backend)
    .mainline()
    .answers(&texts(&asks))
    .await;
}
