//! An access-log line, made and put with others; a write of 64 KiB now and then.

mod exchange;

use std::hint::black_box;
use std::path::Path;

use criterion::Criterion;
use tidegate_http::log::access;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let config = exchange::configuration(
        "access_log /dev/null combined buffer=64k; server { location / { return 204; } }",
    );
    exchange::with(&config, exchange::BROWSER, Path::new("/dev/null"), |ex| {
        ex.sent.status = 204;
        criterion.bench_function("access_log: combined", |bencher| {
            bencher.iter(|| access::write(black_box(ex)));
        });
    });
    criterion.final_summary();
}
