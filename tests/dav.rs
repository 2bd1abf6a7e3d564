//! dav: what clients change stays inside the root, and is whole or not there.

use std::os::unix::fs::{PermissionsExt, symlink};

use crate::harness::{Tidegate, process};

#[tokio::test]
async fn nothing_outside_the_root_is_changed() {
    if !process::is_ours() {
        return;
    }
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            root html;
            dav_methods PUT DELETE MKCOL COPY MOVE;
            create_full_put_path on;
            dav_access user:rw group:r all:r;
            location /alias/ { alias html/real/; }
        }",
    )
    .with_file("a.txt", "a")
    .with_file("real/b.txt", "b")
    .with_prefix_file("outside/c.txt", "c")
    .await;
    let folder = server.folder().to_path_buf();
    symlink("../outside", folder.join("html/link")).unwrap();
    symlink("real", folder.join("html/near")).unwrap();
    symlink("../outside/c.txt", folder.join("html/file")).unwrap();

    for ask in [
        "PUT /link/d.txt || d",
        "PUT /link/new/d.txt || d",
        "DELETE /link/c.txt",
        "MKCOL /link/d/",
        "COPY /a.txt | Destination: /link/d.txt",
        "MOVE /a.txt | Destination: /link/d.txt",
        "MOVE /link/c.txt | Destination: /d.txt",
        "COPY /link/c.txt | Destination: /d.txt",
        "COPY /file | Destination: /d.txt",
    ] {
        server.ask(ask).await.is(403);
    }
    server.ask("DELETE /").await.is(403);
    for ask in [
        "PUT /../outside/d.txt || d",
        "PUT /%2e%2e/outside/d.txt || d",
        "COPY /a.txt | Destination: /../outside/d.txt",
        "COPY /a.txt | Destination: /x/%2e%2e/%2e%2e/outside/d.txt",
    ] {
        let status = server.ask(ask).await.status;
        assert!(matches!(status, 400 | 403 | 404), "{ask}: {status}");
    }
    let outside: Vec<_> = std::fs::read_dir(folder.join("outside")).unwrap().collect();
    assert_eq!((outside.len(), server.read("outside/c.txt")), (1, "c".to_owned()));
    assert!(!folder.join("html/d.txt").exists());

    server.ask("PUT /near/e.txt || e").await.is(201);
    server.ask("PUT /alias/f/g.txt || g").await.is(201);
    server.get("/real/f/g.txt").await.is(200).says("g");
    // The link goes, not what it leads to.
    server.ask("PUT /file || mine").await.is(204);
    server.get("/file").await.is(200).says("mine");
    assert_eq!(server.read("outside/c.txt"), "c");
    let mode =
        |path: &str| std::fs::metadata(folder.join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("html/real/e.txt"), mode("html/real/f")), (0o644, 0o755));

    // What is not sent whole does not take the place of anything.
    let mut client = server.connect().await;
    client.send("PUT /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf").await;
    client.finish().await;
    client.rest().await;
    server.get("/a.txt").await.is(200).says("a");
    let left = std::fs::read_dir(folder.join("html")).unwrap().flatten();
    let left: Vec<_> =
        left.filter(|e| e.file_name().to_string_lossy().starts_with(".put")).collect();
    assert!(left.is_empty(), "{left:?}");
}
