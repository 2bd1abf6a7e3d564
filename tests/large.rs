//! Large files, and files that change while they are sent.

use std::fs::File;
use std::os::unix::fs::{FileExt, symlink};
use std::process::Command;

use crate::harness::http2::*;
use crate::harness::{Http2, Tidegate, process};

const FIVE_GIB: u64 = 5 << 30;

#[tokio::test]
async fn a_file_of_5_gib_is_sent_in_parts() {
    if !process::is_ours() {
        return;
    }
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8080; root html;
            location /sub/ { sub_filter_types *; sub_filter needle pin; } }",
    )
    .with_file("sub/a.txt", "needle")
    .await;
    let file = File::create(server.folder().join("html/big.bin")).unwrap();
    file.set_len(FIVE_GIB).unwrap();
    file.write_all_at(b"beyond", (4 << 30) + 3).unwrap();
    file.write_all_at(b"end", FIVE_GIB - 3).unwrap();

    let head = server.ask("HEAD /big.bin").await;
    head.is(200).has("Content-Length", "5368709120").has("Accept-Ranges", "bytes");
    let part = server.ask("/big.bin | Range: bytes=4294967299-4294967304").await;
    part.is(206).says("beyond").has("Content-Range", "bytes 4294967299-4294967304/5368709120");
    server.ask("/big.bin | Range: bytes=-3").await.is(206).says("end");
    let last = server.ask("/big.bin | Range: bytes=5368709117-").await;
    last.is(206).says("end").has("Content-Range", "bytes 5368709117-5368709119/5368709120");
    let several = server.ask("/big.bin | Range: bytes=0-0,5368709117-5368709119").await;
    several.is(206).mentions("\r\n\r\nend\r\n");
    server.ask("/big.bin | Range: bytes=5368709120-").await.is(416);

    let url = format!("http://127.0.0.1:{}/big.bin", server.port(8080));
    let curl =
        Command::new("curl").args(["-s", "-r", "4294967299-4294967304,5368709117-", &url]).output();
    match curl {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(
                text.contains("\r\n\r\nbeyond\r\n") && text.contains("\r\n\r\nend\r\n"),
                "{text}"
            );
        }
        Err(_) => eprintln!("skipped: no curl"),
    }

    // Who takes only the beginning leaves the rest where it is.
    let mut client = server.connect().await;
    client.send("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let head = client.until("\r\n\r\n").await;
    assert!(head.contains("Content-Length: 5368709120"), "{head}");
    drop(client);
    server.get("/sub/a.txt").await.is(200).says("pin");
}

#[tokio::test]
async fn a_file_that_shrinks_while_it_is_sent_ends_the_connection() {
    if !process::is_ours() {
        return;
    }
    let server = Tidegate::start(
        "types { text/plain txt; text/html html; }
         server { listen 127.0.0.1:8080; root html; sendfile on;
            location /read/ { sendfile off; }
            location /gzip/ { gzip on; gzip_types *; }
            location /sub/ { sub_filter needle pin; sub_filter_types *; } }",
    )
    .with_file("read/keep", "")
    .with_file("gzip/keep", "")
    .with_file("sub/keep", "")
    .await;
    for folder in ["", "read/", "gzip/", "sub/"] {
        let path = server.folder().join(format!("html/{folder}a.txt"));
        let file = File::create(&path).unwrap();
        file.set_len(64 << 20).unwrap();
        if folder == "gzip/" {
            // Not to be compressed into nothing.
            let mut seed = 1_u64;
            let mut noise = Vec::with_capacity(24 << 20);
            while noise.len() < 24 << 20 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                noise.extend_from_slice(&seed.to_le_bytes());
            }
            file.write_all_at(&noise, 0).unwrap();
        }
        let mut client = server.connect().await;
        let ask =
            format!("GET /{folder}a.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
        client.send(ask).await;
        client.until("\r\n\r\n").await;
        file.set_len(1 << 20).unwrap();
        let rest = client.rest().await;
        assert!(rest.len() < 64 << 20, "{folder}: {} bytes", rest.len());
        assert!(!rest.ends_with(b"0\r\n\r\n"), "{folder}: looks whole");
    }
}

#[tokio::test]
async fn a_file_that_shrinks_never_looks_whole_over_tls_and_http2_either() {
    if !process::is_ours() {
        return;
    }
    let server = Tidegate::start(
        "types { text/plain txt; text/html html; }
         server {
            listen 127.0.0.1:8080; listen 127.0.0.1:8443 ssl; http2 on; root html; sendfile on;
            ssl_certificate cert.pem; ssl_certificate_key key.pem;
            location /read/ { sendfile off; }
            location /sub/ { sub_filter needle pin; sub_filter_types *; } }",
    )
    .with_certificate(&["localhost"])
    .with_file("read/keep", "")
    .with_file("sub/keep", "")
    .await;
    for folder in ["", "read/", "sub/"] {
        let path = server.folder().join(format!("html/{folder}a.txt"));
        let file = File::create(&path).unwrap();
        file.set_len(64 << 20).unwrap();
        let mut client = server.at(8443).over_tls("localhost").connect().await;
        client.send(format!("GET /{folder}a.txt HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        client.until("\r\n\r\n").await;
        file.set_len(1 << 20).unwrap();
        let rest = client.rest().await;
        assert!(rest.len() < 64 << 20, "{folder} over TLS: {} bytes", rest.len());
        assert!(!rest.ends_with(b"0\r\n\r\n"), "{folder} over TLS: looks whole");

        // No more than a first window is sent before it is cut.
        file.set_len(64 << 20).unwrap();
        let mut client = Http2::with_settings(&server, &[(4, (1 << 31) - 1)]).await;
        let path = format!("/{folder}a.txt");
        let fields =
            [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", &*path)];
        let stream = client.head(&fields, END_STREAM).await;
        client.until(HEADERS).await;
        file.set_len(1 << 20).unwrap();
        client.frame(WINDOW_UPDATE, 0, 0, &0x7fff_0000u32.to_be_bytes()).await;
        let mut length = 0;
        loop {
            let frame = client.next().await.expect("an end of the stream, not of the connection");
            if frame.stream != stream {
                continue;
            }
            if frame.kind == RST_STREAM {
                break;
            }
            length += frame.payload.len();
            assert_eq!(frame.flags & END_STREAM, 0, "{folder} over HTTP/2: whole after {length}");
        }
        assert!(length < 64 << 20, "{folder} over HTTP/2: {length} bytes");
        client.get("/sub/keep").await.is(200);
    }
}

#[tokio::test]
async fn a_file_that_is_removed_while_it_is_sent_is_sent_whole() {
    if !process::is_ours() {
        return;
    }
    let server = Tidegate::start("server { listen 127.0.0.1:8080; root html; }").await;
    let path = server.folder().join("html/a.bin");
    File::create(&path).unwrap().set_len(16 << 20).unwrap();
    let mut client = server.connect().await;
    client.send("GET /a.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    client.until("\r\n\r\n").await;
    std::fs::remove_file(&path).unwrap();
    assert_eq!(client.rest().await.len(), 16 << 20);
    server.get("/a.bin").await.is(404);
}

#[tokio::test]
async fn links_are_followed_only_where_they_may() {
    if !process::is_ours() {
        return;
    }
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            root html;
            location /all/ { }
            location /none/ { disable_symlinks on; }
            location /from/ { disable_symlinks on from=$document_root/from; }
            location /own/ { disable_symlinks if_not_owner; }
            location /try/ { disable_symlinks on; try_files $uri /all/real.txt; }
        }",
    )
    .with_file("secret/a.txt", "secret")
    .with_file("all/real.txt", "real")
    .with_file("none/real.txt", "real")
    .with_file("from/real.txt", "real")
    .with_file("own/real.txt", "real")
    .with_file("try/real.txt", "real")
    .await;
    let html = server.folder().join("html");
    for folder in ["all", "none", "from", "own", "try"] {
        symlink("../secret/a.txt", html.join(folder).join("link.txt")).unwrap();
        symlink("../secret", html.join(folder).join("folder")).unwrap();
    }
    for (folder, status) in [("all", 200), ("none", 403), ("from", 403), ("own", 200)] {
        server.get(&format!("/{folder}/real.txt")).await.is(200).says("real");
        server.get(&format!("/{folder}/link.txt")).await.is(status);
        server.get(&format!("/{folder}/folder/a.txt")).await.is(status);
    }
    server.get("/try/link.txt").await.is(200).says("real");
}
