//! gunzip and gzip_static: compressed files and answers, for those who take them and those who do
//! not.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::compare::alike;

fn squeezed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn compressed_files() {
    let long = "tidegate ".repeat(20_000);
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            location /static/ { gzip_static on; }
            location /always/ { gzip_static always; }
            location /gunzip/ { gzip_static always; gunzip on; }
            location /both/ { gzip_static always; gunzip on; gzip on; gzip_vary on; }
            location /vary/ { gzip_static on; gzip_vary on; }
            location /alone/ { gzip_static always; gunzip on; gzip_vary on; }
        }"#,
    )
    .with_file("static/a.html", "plain")
    .with_file("static/a.html.gz", squeezed("plain"))
    .with_file("static/b.html", "plain")
    .with_file("always/a.html", "plain")
    .with_file("always/a.html.gz", squeezed("packed"))
    .with_file("gunzip/a.html.gz", squeezed(&long))
    .with_file("gunzip/two.html.gz", [squeezed("one"), squeezed("two")].concat())
    .with_file("gunzip/empty.html.gz", squeezed(""))
    .with_file("both/a.html.gz", squeezed(&long))
    .with_file("vary/a.html", "plain")
    .with_file("vary/a.html.gz", squeezed("plain"))
    .with_file("alone/a.html.gz", squeezed("x"))
    .without_logs()
    .every_module()
    .answers(&[
        "/static/a.html",
        "/static/a.html | Accept-Encoding: gzip",
        "/static/a.html | Accept-Encoding: gzip;q=0",
        "HEAD /static/a.html | Accept-Encoding: gzip",
        "/static/a.html | Accept-Encoding: gzip | Range: bytes=0-3",
        "/static/a.html | Range: bytes=0-3",
        "/static/a.html | Accept-Encoding: gzip | Via: 1.1 x",
        "/static/b.html | Accept-Encoding: gzip",
        "/static/none.html | Accept-Encoding: gzip",
        "POST /static/a.html | Accept-Encoding: gzip || x",
        "/always/a.html",
        "/always/a.html | Accept-Encoding: gzip",
        "/gunzip/a.html",
        "/gunzip/a.html | Accept-Encoding: gzip",
        "/gunzip/a.html | Range: bytes=0-3",
        "/gunzip/a.html HTTP/1.0",
        "HEAD /gunzip/a.html",
        "/gunzip/two.html",
        "/gunzip/empty.html",
        "/both/a.html",
        "/both/a.html | Accept-Encoding: gzip",
        "/vary/a.html",
        "/vary/a.html | Accept-Encoding: gzip",
        "/alone/a.html",
        "/alone/a.html | Accept-Encoding: gzip",
        "/alone/a.html | Accept-Encoding: gzip | If-None-Match: *",
    ])
    .await;
}
