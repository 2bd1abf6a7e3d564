//! A configuration of 100 servers with 10 locations each, read, checked and typed.

// A bench that cannot begin has nobody to tell but who runs it.
#![allow(clippy::expect_used)]

use std::fmt::Write;
use std::fs;
use std::hint::black_box;

use criterion::Criterion;
use tidegate_config::{Options, load};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut text = String::from("events {}\nhttp {\n    gzip on;\n");
    for server in 0..100 {
        let _ = write!(
            text,
            "    server {{\n        listen 8080;\n        server_name s{server}.example.com;\n"
        );
        for n in 0..10 {
            let _ = write!(
                text,
                "        location /part-{n}/ {{\n            proxy_pass http://127.0.0.1:9000;\n            \
                 proxy_set_header Host $host;\n            proxy_read_timeout 30s;\n        }}\n"
            );
        }
        text.push_str("    }\n");
    }
    text.push_str("}\n");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("nginx.conf");
    fs::write(&path, text).expect("a file");
    let options = Options { prefix: folder.path().to_path_buf(), ..Options::default() };
    let loaded = load(&path, &options);
    assert!(loaded.config.is_some(), "{}", loaded.messages());
    criterion.bench_function("configuration: 100 servers with 10 locations", |bencher| {
        bencher.iter(|| black_box(load(&path, &options).config.is_some()));
    });
    criterion.final_summary();
}
