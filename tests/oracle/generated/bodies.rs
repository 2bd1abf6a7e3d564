//! Chunked bodies of any shape.

use super::{Seed, texts};
use crate::oracle::compare::{alike, echo};

const SIZES: &[&str] = &[
    "3",
    "3",
    "3",
    "03",
    "0000000000000003",
    "3 ",
    " 3",
    "3;a=b",
    "3;",
    "3 ; a",
    "3;a=\"b;c\"",
    "x",
    "",
    "-3",
    "+3",
    "0x3",
    "3\t",
    "ffffffffffffffff",
    "11111111111111111",
    "3,",
    "3\u{1}",
];

#[tokio::test]
async fn in_chunks() {
    let backend = echo(&[]).await;
    let asks = Seed(9).asks(120, |seed| {
        let mut body = String::new();
        for _ in 0..=seed.below(2) {
            let data = seed.one(&["abc", "abc", "abc", "abcd", "ab"]);
            let end = seed.one(&["\\r\\n", "\\r\\n", "\\r\\n", "\\r\\n", "", "x\\r\\n"]);
            body += &format!("{}\\r\\n{data}{end}", seed.one(SIZES));
        }
        body += seed.one(&[
            "0\\r\\n\\r\\n",
            "0\\r\\n\\r\\n",
            "0\\r\\nX-T: a\\r\\n\\r\\n",
            "00\\r\\n\\r\\n",
            "0;x\\r\\n\\r\\n",
        ]);
        let path = seed.one(&["/up", "/up", "/streamed", "/discard"]);
        // What is not a body may wait for more of it.
        format!("POST {path} | Connection: close | Transfer-Encoding: chunked || {body}")
    });
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            client_body_timeout 100ms;
            location /up { proxy_pass http://127.0.0.1:8090; }
            location /streamed { proxy_pass http://127.0.0.1:8090; proxy_request_buffering off; }
            location /discard { return 200 "ok"; }
        }"#,
    )
    .with_backend(8090, backend)
    .without_logs()
    .mainline()
    .answers(&texts(&asks))
    .await;
}
