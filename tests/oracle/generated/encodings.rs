//! What is accepted, against what is there.

use super::{Seed, texts};
use crate::oracle::compare::alike;

const NAMES: &[&str] = &[
    "gzip", "gzip", "gzip", "x-gzip", "br", "deflate", "*", "identity", "GZIP", "gzipx", "xgzip",
    "", "zstd",
];

const WEIGHTS: &[&str] = &[
    "",
    "",
    "",
    ";q=0",
    ";q=0.0",
    ";q=1",
    ";q=0.001",
    "; q=0.5",
    ";q=1.5",
    ";q=",
    ";q=0.",
    ";x=1",
    " ;q=0",
    ";Q=0",
    ";q=0.000",
    ";q=0.0001",
    ";q=1.000",
    ";q=x",
    "; q = 0",
    ";q=-1",
    ";q=00",
    ";q=2",
    ";;q=0",
];

fn accepted(seed: &mut Seed) -> String {
    let mut text = String::new();
    for number in 0..=seed.below(3) {
        if number > 0 {
            text += seed.one(&[",", ", ", ", ", " , ", ",,"]);
        }
        text += seed.one(NAMES);
        text += seed.one(WEIGHTS);
    }
    text
}

#[tokio::test]
async fn against_what_is_there() {
    let asks = Seed(5).asks(300, |seed| {
        let path = seed.one(&[
            "/on/a.html",
            "/on/a.html",
            "/static/a.html",
            "/static/a.html",
            "/always/a.html",
            "/gunzip/a.html",
            "/both/a.html",
            "/on/a.txt",
            "HEAD /on/a.html",
            "/on/a.html HTTP/1.0",
            "/static/only",
            "/return",
        ]);
        let range = seed.one(&[
            "",
            "",
            "",
            "",
            " | Range: bytes=0-3",
            " | If-None-Match: \"65937d25-21c\"",
        ]);
        let twice = if seed.below(8) == 0 { " | Accept-Encoding: gzip;q=0" } else { "" };
        format!("{path} | Accept-Encoding: {}{twice}{range}", accepted(seed))
    });
    let long = "tidegate ".repeat(60);
    let packed = {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(b"WHAT WAS PACKED BEFORE").expect("memory");
        encoder.finish().expect("memory")
    };
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            gzip_vary on;
            location /on/ { gzip on; }
            location /static/ { gzip_static on; }
            location /always/ { gzip_static always; }
            location /gunzip/ { gzip_static always; gunzip on; }
            location /both/ { gzip on; gzip_static on; gunzip on; }
            location /return { gzip on; default_type text/html; return 200 "01234567890123456789012345678901234567890"; }
        }"#,
    )
    .with_file("on/a.html", &long)
    .with_file("on/a.txt", &long)
    .with_file("static/a.html", &long)
    .with_file("static/a.html.gz", &packed)
    .with_file("static/only.gz", &packed)
    .with_file("always/a.html.gz", &packed)
    .with_file("gunzip/a.html.gz", &packed)
    .with_file("both/a.html", &long)
    .with_file("both/a.html.gz", &packed)
    .without_logs()
    .every_module()
    .answers(&texts(&asks))
    .await;
}
