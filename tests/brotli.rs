//! brotli and zstd: who gets which coding, and what comes slowly is not held back.

use std::io::Read;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Answer, Backend, Tidegate, process};

/// The body of an answer, decompressed as it says itself.
fn plain(answer: &Answer) -> String {
    let body = answer.body.as_slice();
    let mut text = String::new();
    let read = match answer.field("Content-Encoding") {
        None => return answer.text(),
        Some("br") => brotli::Decompressor::new(body, 4096).read_to_string(&mut text),
        Some("zstd") => zstd::stream::read::Decoder::new(body).unwrap().read_to_string(&mut text),
        Some("gzip") => flate2::read::GzDecoder::new(body).read_to_string(&mut text),
        Some(other) => panic!("{other}"),
    };
    read.unwrap_or_else(|error| panic!("{error}: {answer:?}"));
    text
}

#[tokio::test]
async fn a_client_gets_the_coding_it_likes_best() {
    if !process::is_ours() {
        return;
    }
    let long = "tidegate ".repeat(100);
    let server = Tidegate::start(
        "types { text/html html; text/css css; image/png png; }
         gzip on; gzip_vary on; brotli on; brotli_types text/css; zstd on;
         server {
            listen 127.0.0.1:8080;
            root html;
            location /hard/ { brotli_comp_level 11; brotli_window 1m; zstd_comp_level 22; }
            location /long/ { brotli_min_length 10k; zstd_min_length 10k; gzip_min_length 10k; }
            location /no-gzip/ { gzip off; }
        }",
    )
    .with_file("a.html", &long)
    .with_file("a.css", &long)
    .with_file("a.png", &long)
    .with_file("hard/a.html", &long)
    .with_file("long/a.html", &long)
    .with_file("no-gzip/a.html", &long)
    .await;

    for (path, accepted, coding) in [
        ("/a.html", "gzip, deflate, br, zstd", Some("br")),
        ("/a.html", "gzip, deflate, zstd", Some("zstd")),
        ("/a.html", "gzip, deflate", Some("gzip")),
        ("/a.html", "br;q=0.5, gzip", Some("gzip")),
        ("/a.html", "br;q=0, zstd;q=0.1, gzip;q=0.2", Some("gzip")),
        ("/a.html", "BR", Some("br")),
        ("/a.html", "brotli", None),
        ("/a.html", "*", None),
        ("/a.html", "identity, br;q=0.9", None),
        ("/a.html", "br;q=0", None),
        ("/a.css", "zstd, br", Some("br")),
        ("/a.css", "zstd, gzip", None),
        ("/a.png", "br, zstd, gzip", None),
        ("/hard/a.html", "br", Some("br")),
        ("/hard/a.html", "zstd", Some("zstd")),
        ("/long/a.html", "br, zstd, gzip", None),
        ("/no-gzip/a.html", "gzip, br;q=0.1", Some("br")),
        ("/no-gzip/a.html", "gzip", None),
    ] {
        let answer = server.ask(&format!("{path} | Accept-Encoding: {accepted}")).await;
        assert_eq!(answer.field("Content-Encoding"), coding, "{path} {accepted}");
        assert_eq!(plain(&answer), long, "{path} {accepted}");
        if coding.is_some() {
            assert!(answer.field("ETag").unwrap().starts_with("W/"));
            answer.lacks("Accept-Ranges").has("Vary", "Accept-Encoding");
            // What was kept is what was made.
            let again = server.ask(&format!("{path} | Accept-Encoding: {accepted}")).await;
            assert_eq!(again.body, answer.body);
        }
    }
    let head = server.ask("HEAD /a.html | Accept-Encoding: br").await;
    head.is(200).has("Content-Encoding", "br").says("");
    let several = server.ask("/a.html | Accept-Encoding: gzip;q=0.5 | Accept-Encoding: zstd").await;
    several.has("Content-Encoding", "zstd");
    let etag = server.ask("/a.html | Accept-Encoding: br").await;
    let etag = etag.field("ETag").unwrap();
    server.ask(&format!("/a.html | Accept-Encoding: br | If-None-Match: {etag}")).await.is(304);
}

#[tokio::test]
async fn events_are_sent_as_they_come() {
    if !process::is_ours() {
        return;
    }
    let backend = Backend::raw(|mut stream| async move {
        let mut request = [0; 1024];
        let _ = stream.read(&mut request).await;
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
        let _ = stream.write_all(format!("{head}data: first\n\n").as_bytes()).await;
        // Held open far beyond the test's patience.
        tokio::time::sleep(Duration::from_mins(1)).await;
    })
    .await;
    let server = Tidegate::start(
        "brotli on; brotli_types text/event-stream; zstd on; zstd_types text/event-stream;
         server { listen 127.0.0.1:8080; location / { proxy_pass http://127.0.0.1:8090; } }",
    )
    .with_port(8090, backend.port())
    .await;

    for coding in ["br", "zstd"] {
        let mut client = server.connect().await;
        let ask = format!("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: {coding}\r\n\r\n");
        client.send(ask).await;
        let head = client.until("\r\n\r\n").await;
        assert!(head.contains(&format!("Content-Encoding: {coding}")), "{head}");
        let size = client.until("\r\n").await;
        let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
        assert!(size > "data: first".len(), "{size} bytes are too few for the event");
    }
}

#[tokio::test]
async fn a_compressed_form_stands_in_for_its_file() {
    if !process::is_ours() {
        return;
    }
    let server = Tidegate::start(
        "types { text/css css; }
         server {
            listen 127.0.0.1:8080;
            root html;
            gzip_vary on; gzip_static on; brotli_static on; zstd_static on;
            location /always/ { gzip_static off; zstd_static off; brotli_static always; }
        }",
    )
    .with_file("a.css", "plain")
    .with_file("a.css.gz", "gz")
    .with_file("a.css.br", "br")
    .with_file("a.css.zst", "zst")
    .with_file("b.css", "plain")
    .with_file("b.css.gz", "gz")
    .with_file("always/a.css", "plain")
    .with_file("always/a.css.br", "br")
    .await;

    for (path, accepted, text) in [
        ("/a.css", "gzip, br, zstd", "br"),
        ("/a.css", "gzip, zstd", "zst"),
        ("/a.css", "gzip, br;q=0.5", "gz"),
        ("/a.css", "gzip;q=0", "plain"),
        ("/a.css", "deflate", "plain"),
        ("/b.css", "br, zstd, gzip;q=0.5", "gz"),
        ("/always/a.css", "gzip", "br"),
    ] {
        let answer = server.ask(&format!("{path} | Accept-Encoding: {accepted}")).await;
        answer.is(200).says(text).has("Content-Type", "text/css");
        if path != "/always/a.css" {
            answer.has("Vary", "Accept-Encoding");
        }
        let coding = answer.field("Content-Encoding");
        let expected = [("br", "br"), ("zst", "zstd"), ("gz", "gzip")];
        let expected = expected.iter().find(|(file, _)| *file == text).map(|(_, name)| *name);
        assert_eq!(coding, expected, "{path} {accepted}");
    }
}
