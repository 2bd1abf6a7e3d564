//! A request's head, parsed and judged.

mod exchange;

use std::hint::black_box;

use bytes::BytesMut;
use criterion::{BatchSize, Criterion};
use tidegate_http::head::Parser;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let short = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (name, text) in [("two lines", short), ("a browser's", exchange::BROWSER)] {
        criterion.bench_function(&format!("head: {name}"), |bencher| {
            bencher.iter_batched_ref(
                || BytesMut::from(text),
                |buffer| black_box(Parser::new().parse(buffer, &exchange::RULES)),
                BatchSize::SmallInput,
            );
        });
    }
    criterion.final_summary();
}
