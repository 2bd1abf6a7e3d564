//! A uwsgi packet, encoded.

use std::hint::black_box;

use bytes::Bytes;
use criterion::Criterion;
use tidegate_proxy::protocol::uwsgi::{Packet, Uwsgi};

/// What `uwsgi_params` and a browser come to.
const PARAMS: [(&str, &str); 20] = [
    ("QUERY_STRING", "with=arguments"),
    ("REQUEST_METHOD", "GET"),
    ("CONTENT_TYPE", ""),
    ("CONTENT_LENGTH", ""),
    ("REQUEST_URI", "/some/page?with=arguments"),
    ("PATH_INFO", "/some/page"),
    ("DOCUMENT_ROOT", "/usr/share/nginx/html"),
    ("SERVER_PROTOCOL", "HTTP/1.1"),
    ("REQUEST_SCHEME", "https"),
    ("HTTPS", "on"),
    ("REMOTE_ADDR", "192.0.2.1"),
    ("REMOTE_PORT", "5000"),
    ("SERVER_PORT", "443"),
    ("SERVER_NAME", "www.example.com"),
    ("HTTP_HOST", "www.example.com"),
    ("HTTP_USER_AGENT", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("HTTP_ACCEPT", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("HTTP_ACCEPT_ENCODING", "gzip, deflate, br, zstd"),
    ("HTTP_REFERER", "https://www.example.com/"),
    ("HTTP_COOKIE", "session=0123456789abcdef0123456789abcdef; theme=dark"),
];

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
    let params = PARAMS.iter().map(|(name, value)| (bytes(name), bytes(value))).collect();
    let packet = Packet { params, ..Packet::default() };
    criterion.bench_function("uwsgi: a packet of 20 variables", |bencher| {
        bencher.iter(|| black_box(Uwsgi::new(black_box(&packet))));
    });
    criterion.final_summary();
}
