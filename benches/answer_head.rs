//! An answer's head, built.

use std::hint::black_box;

use bytes::BytesMut;
use criterion::Criterion;
use tidegate_http::answer_head::{Frame, write};
use tidegate_http::head::Version;
use tidegate_http::response::Response;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let frame = Frame {
        version: Version::Http11,
        head_only: false,
        keep_alive: true,
        chunked: true,
        server: b"tidegate",
        base: None,
        keepalive_header: None,
    };
    let mut file = Response::new(200).with_type("text/css");
    file.content_length = Some(4096);
    file.last_modified = Some(1_700_000_000);
    file.headers.push("ETag", "\"655351c0-1000\"");
    file.headers.push("Accept-Ranges", "bytes");
    for (name, response) in [("204", &Response::new(204)), ("a file's", &file)] {
        let mut out = BytesMut::with_capacity(4096);
        criterion.bench_function(&format!("answer_head: {name}"), |bencher| {
            bencher.iter(|| {
                out.clear();
                black_box(write(response, &frame, &mut out))
            });
        });
    }
    criterion.final_summary();
}
