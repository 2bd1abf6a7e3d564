//! A location found among a thousand.

mod exchange;

use std::fmt::Write;
use std::hint::black_box;
use std::path::Path;

use bytes::Bytes;
use criterion::Criterion;
use tidegate_http::location;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for (kind, sign, end) in [("prefix", "", "/"), ("exact", "=", ""), ("regex", "~", "$")] {
        let mut server = String::new();
        for n in 0..1000 {
            let _ = write!(server, "location {sign} /part-{n}{end} {{ return 204; }} ");
        }
        let config = exchange::configuration(&format!("server {{ {server} }}"));
        exchange::with(&config, exchange::BROWSER, Path::new("/dev/null"), |ex| {
            // The last one.
            ex.uri = Bytes::from(format!("/part-999{}", end.trim_end_matches('$')));
            criterion.bench_function(&format!("location: {kind}, the last of 1000"), |bencher| {
                bencher.iter(|| black_box(location::find(ex).is_ok()));
            });
        });
    }
    criterion.final_summary();
}
