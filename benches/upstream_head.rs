//! The head of an upstream's answer, parsed.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::{BatchSize, Criterion};
use tidegate_http::headers::Headers;
use tidegate_proxy::protocol::Codec;
use tidegate_proxy::protocol::http1::{Http1, Request};

const ANSWER: &str = "HTTP/1.1 200 OK\r\n\
    Server: gunicorn\r\n\
    Date: Sat, 21 Nov 2026 12:00:00 GMT\r\n\
    Connection: keep-alive\r\n\
    Content-Type: text/html; charset=utf-8\r\n\
    X-Frame-Options: DENY\r\n\
    Content-Length: 5120\r\n\
    Vary: Cookie, Accept-Language\r\n\
    X-Content-Type-Options: nosniff\r\n\
    Referrer-Policy: same-origin\r\n\
    Set-Cookie: csrftoken=0123456789abcdef0123456789abcdef; Path=/; SameSite=Lax\r\n\r\n";

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let codec = Http1::new(&Request {
        method: Bytes::from_static(b"GET"),
        target: Bytes::from_static(b"/"),
        http11: true,
        headers: Headers::new(),
        chunked: false,
        upgrade: false,
    });
    criterion.bench_function("upstream_head: Django's", |bencher| {
        bencher.iter_batched_ref(
            || BytesMut::from(ANSWER),
            |input| black_box(codec.decoder(4096).decode(input, false)),
            BatchSize::SmallInput,
        );
    });
    criterion.final_summary();
}
