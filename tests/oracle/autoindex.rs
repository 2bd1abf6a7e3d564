//! autoindex: listings as pages, JSON and XML.

use super::compare::{Alike, alike};

fn listing(conf: &str) -> Alike {
    alike(conf)
        .with_file("dir/b.txt", "0123456789")
        .with_file("dir/a.txt", "x".repeat(1_500))
        .with_file("dir/Upper", "")
        .with_file("dir/.hidden", "h")
        .with_file("dir/with space & <tag> \"q\".txt", "s")
        .with_file("dir/ümlaut.txt", "u")
        .with_file("dir/colon:name", "c")
        .with_file("dir/question?hash#percent%.txt", "q")
        .with_file("dir/big", "x".repeat(1_500_000))
        .with_file(
            "dir/a-very-long-name-that-does-not-fit-into-the-column-of-names-at-all.txt",
            "l",
        )
        .with_file("dir/sub/x", "x")
        .with_file("dir/empty/sub/x", "x")
        .with_file("index/index.html", "index")
}

#[tokio::test]
async fn formats() {
    listing(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            autoindex on;
            autoindex_localtime off;
            location /dir/ { location /dir/empty/ { autoindex off; } }
            location /exact/ { alias html/dir/; autoindex_exact_size off; }
            location /json/ { alias html/dir/; autoindex_format json; }
            location /xml/ { alias html/dir/; autoindex_format xml; }
            location /charset/ { alias html/dir/; charset utf-8; }
        }"#,
    )
    .answers(&[
        "/dir/",
        "/dir",
        "/dir/sub/",
        "/dir/empty/",
        "/exact/",
        "/json/",
        "/xml/",
        "/charset/",
        "/index/",
        "HEAD /dir/",
        "POST /dir/ || x",
        "/dir/none/",
        "/dir/ HTTP/1.0",
        "/json/?callback=x",
        "/dir/ | Range: bytes=0-5",
    ])
    .await;
}
