//! A template with five variables, rendered.

// A bench that cannot begin has nobody to tell but who runs it.
#![allow(clippy::expect_used)]

mod exchange;

use std::hint::black_box;
use std::path::Path;

use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let config = exchange::configuration(
        "map $host$request_method$uri$is_args$remote_addr $bench { default 1; } server { }",
    );
    let template = config.http.maps.first().map(|map| map.source.clone()).expect("a map");
    exchange::with(&config, exchange::BROWSER, Path::new("/dev/null"), |ex| {
        criterion.bench_function("template: five variables", |bencher| {
            bencher.iter(|| black_box(ex.render(&template)));
        });
    });
    criterion.final_summary();
}
