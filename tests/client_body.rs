//! Request bodies: into memory, into files, and on to the application.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use crate::harness::{Backend, Tidegate, backend, process};

/// A backend that says how many bytes it got, and their sum.
async fn summing() -> Backend {
    Backend::http(|request| {
        let (head, body) = request.split_once("\r\n\r\n").unwrap_or((request, ""));
        let chunked = head.contains("chunked");
        let sum: u64 = body.bytes().map(u64::from).sum();
        backend::ok(&format!("{} {sum} {chunked}", body.len()))
    })
    .await
}

#[tokio::test]
async fn large_bodies_go_through_files() {
    let backend = summing().await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            client_max_body_size 20m;
            client_body_buffer_size 8k;
            client_body_temp_path bodies;
            location / { proxy_pass http://127.0.0.1:8090; }
            location /streamed { proxy_request_buffering off; proxy_pass http://127.0.0.1:8090; }
        }",
    )
    .with_port(8090, backend.port())
    .await;
    let body = "abcdefghij".repeat(500_000);
    let expected = format!("{} {} false", body.len(), 1_015u64 * 500_000);
    for path in ["/", "/streamed"] {
        let answer = server.ask(&format!("POST {path} || {body}")).await;
        answer.is(200).says(&expected);
    }
    let chunked = format!("{:x}\\r\\n{body}\\r\\n0\\r\\n\\r\\n", body.len());
    let answer = server.ask(&format!("POST / | Transfer-Encoding: chunked || {chunked}")).await;
    answer.is(200).says(&expected);
    let left: Vec<_> = std::fs::read_dir(server.folder().join("bodies"))
        .map(|entries| entries.flatten().filter(|e| e.path().is_file()).collect())
        .unwrap_or_default();
    assert!(left.is_empty(), "{left:?}");
    assert!(server.error_log().contains("a client request body is buffered to a temporary file"));
}

/// The files under a folder.
fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut all = Vec::new();
    for path in entries.map(|entry| entry.path()) {
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}

#[tokio::test]
async fn files_that_are_asked_for_stay_or_go() {
    let backend = Backend::http(|request| {
        let file = request.split("\r\n").find_map(|line| line.strip_prefix("X-File: "));
        let content = file.and_then(|file| std::fs::read_to_string(file).ok());
        backend::ok(&format!("{} {}", file.unwrap_or("none"), content.unwrap_or_default()))
    })
    .await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            client_body_temp_path bodies 1 2;
            proxy_set_header X-File $request_body_file;
            location /on { client_body_in_file_only on; proxy_pass http://127.0.0.1:8090; }
            location /clean { client_body_in_file_only clean; proxy_pass http://127.0.0.1:8090; }
            location /off { proxy_pass http://127.0.0.1:8090; }
        }",
    )
    .with_port(8090, backend.port())
    .await;
    let folder = server.folder().join("bodies");
    server.ask("POST /off || in memory").await.is(200).says("none ");
    let kept = server.ask("POST /on || stays").await;
    let (path, content) =
        kept.text().split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert_eq!(content, "stays");
    assert_eq!(files(&folder), [std::path::PathBuf::from(&path)]);
    let name = path.rsplit('/').next().unwrap();
    assert_eq!(path, folder.join(&name[9..]).join(&name[7..9]).join(name).display().to_string());
    server.ask("POST /clean || goes").await.is(200).mentions(" goes");
    crate::harness::eventually("the file is gone", || async { files(&folder).len() == 1 }).await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "stays");
    server.logs("a client request body is buffered to a temporary file").await;
}

#[tokio::test]
async fn a_file_that_cannot_be_made_is_told() {
    let backend = summing().await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            client_body_buffer_size 1k;
            client_body_temp_path /dev/full/bodies;
            location / { client_body_in_file_only on; proxy_pass http://127.0.0.1:8090; }
        }",
    )
    .with_port(8090, backend.port())
    .await;
    server.ask("POST / || small").await.is(500);
    server.logs("[crit]").await;
    server.logs("open() \"/dev/full/bodies\" failed (20: Not a directory)").await;
    assert!(backend.received().is_empty());
    server.ask("GET /").await.is(200);
}

#[tokio::test]
async fn a_folder_of_temporary_files_that_is_for_all_keeps_its_owner() {
    if !process::is_ours() || !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can give a folder away");
        return;
    }
    let backend = summing().await;
    let mut start =
        Tidegate::start("server { listen 127.0.0.1:8080; }").with_port(8090, backend.port());
    let modes = [("tmp", 0o1777), ("open", 0o777), ("sticky", 0o1755), ("own", 0o755)];
    for (name, _) in modes {
        start = start.with_prefix_file(&format!("{name}/here/before"), "");
    }
    let mut server = start.await;
    let path = |server: &Tidegate, name: &str| server.folder().join(name);
    let set = |path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for (name, mode) in modes {
        set(path(&server, name), mode);
    }
    // The workers are another user from now on, to whom the folders are to be of use.
    set(path(&server, ""), 0o755);
    std::os::unix::fs::symlink("own/here", path(&server, "link")).unwrap();
    server.put_conf(
        "user nobody; error_log logs/error.log info; events {} http { access_log off; server {
         listen 127.0.0.1:8080; client_body_buffer_size 1k; client_body_in_file_only clean;
         client_body_temp_path tmp; proxy_temp_path open; fastcgi_temp_path sticky;
         uwsgi_temp_path own; scgi_temp_path link;
         proxy_set_header X-File $request_body_file;
         location / { proxy_pass http://127.0.0.1:8090; } } }",
    );
    for words in [&["-t"][..], &["reload"]] {
        let output = server.command(words);
        assert!(output.status.success(), "{output:?}");
        let owner = |name: &str| std::fs::metadata(path(&server, name)).unwrap().uid();
        for name in ["tmp", "open", "sticky", "link"] {
            assert_eq!(owner(name), 0, "{name}");
        }
        assert_ne!(owner("own"), 0);
    }
    let body = "x".repeat(5000);
    server.ask(&format!("POST / || {body}")).await.is(200);
    let asked = backend.received().pop().unwrap();
    let folder = path(&server, "tmp/");
    assert!(asked.contains(&format!("X-File: {}", folder.display())), "{asked}");
}

#[tokio::test]
async fn a_body_that_never_comes_is_given_up() {
    let backend = summing().await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            client_body_timeout 1s;
            location / { proxy_pass http://127.0.0.1:8090; }
        }",
    )
    .with_port(8090, backend.port())
    .await;
    let mut connection = server.connect().await;
    connection.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf").await;
    assert!(connection.closes().await);
    assert_eq!(connection.text(), "");
    assert!(server.access_log(1).await[0].contains(" 408 0 "));
    assert!(backend.received().is_empty());
}

#[tokio::test]
async fn a_chunk_too_large_is_refused_by_its_size() {
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8080; location / { proxy_pass http://127.0.0.1:8090; } }",
    )
    .await;
    let mut connection = server.connect().await;
    connection.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    connection.send("7fffffff\r\nfirst").await;
    connection.answer().await.is(413).has("Connection", "close");
}

#[tokio::test]
async fn a_body_too_large_is_told_with_its_location() {
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8080; client_max_body_size 1k; location / { return 200 x; } }",
    )
    .await;
    let answer = server.ask(&format!("POST / || {}", "x".repeat(2_000))).await;
    answer.is(413).has("Connection", "close");
    server.logs("client intended to send too large body: 2000 bytes").await;
}
