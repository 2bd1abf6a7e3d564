//! Logs: times and sizes that no other server can say alike.

use std::cell::RefCell;
use std::io::Read;
use std::os::unix::net::UnixDatagram;

use crate::harness::{DEADLINE, Tidegate, eventually, process};

#[tokio::test]
async fn times_have_their_forms() {
    let server = Tidegate::start(
        "log_format times '$time_local|$time_iso8601|$msec|$request_time|$request_id|$connection|$pid';
         server {
             listen 127.0.0.1:8080;
             access_log logs/access.log times;
             location / { return 200 ok; }
         }",
    )
    .await;
    server.get("/").await.is(200);
    let line = server.access_log(1).await.remove(0);
    let shape: String = line
        .chars()
        .map(|c| match c {
            '0'..='9' => '9',
            'a'..='z' | 'A'..='Z' => 'a',
            '-' => '+',
            c => c,
        })
        .collect();
    let parts: Vec<&str> = shape.split('|').collect();
    assert_eq!(parts[0], "99/aaa/9999:99:99:99 +9999", "{line}");
    assert_eq!(parts[1], "9999+99+99a99:99:99+99:99", "{line}");
    assert!(parts[2].ends_with(".999") && parts[2].len() == 14, "{line}");
    assert_eq!(parts[3], "9.999", "{line}");
    assert_eq!(parts[4].len(), 32, "{line}");
    let pid: i32 = line.split('|').nth(6).unwrap().parse().unwrap();
    let of_server = pid == server.pid() || process::children(server.pid()).contains(&pid);
    assert!(of_server, "{line}");
}

#[tokio::test]
async fn sizes_are_those_on_the_wire() {
    let server = Tidegate::start(
        "log_format sizes '$bytes_sent $body_bytes_sent $request_length';
         server {
             listen 127.0.0.1:8080;
             access_log logs/access.log sizes;
         }",
    )
    .with_file("a.txt", "0123456789")
    .await;
    let request = "GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let bytes = server.request(request).await;
    let line = server.access_log(1).await.remove(0);
    assert_eq!(line, format!("{} 10 {}", bytes.len(), request.len()));
}

#[tokio::test]
async fn missing_files_are_told_unless_told_otherwise() {
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            location /quiet/ { log_not_found off; }
            location /own/ { error_log logs/own.log; }
        }",
    )
    .await;
    server.get("/quiet/x").await.is(404);
    server.get("/own/x").await.is(404);
    server.get("/loud/x").await.is(404);
    server.logs("html/loud/x\" failed (2: No such file or directory)").await;
    assert!(!server.error_log().contains("/quiet/x"), "{}", server.error_log());
    assert!(!server.error_log().contains("/own/x"), "{}", server.error_log());
    eventually("it is in its own", || async { server.read("logs/own.log").contains("/own/x") })
        .await;
}

#[tokio::test]
async fn an_error_says_who_asked_for_what() {
    let server = Tidegate::start("server { listen 127.0.0.1:8080; server_name site; }").await;
    server.ask("/missing?q | Host: site:81 | Referer: http://from/").await.is(404);
    server.logs("[error]").await;
    let log = server.error_log();
    let words = "client: 127.0.0.1, server: site, request: \"GET /missing?q HTTP/1.1\", \
                 host: \"site:81\", referrer: \"http://from/\"";
    assert!(log.contains(words), "{log}");
}

#[tokio::test]
async fn a_request_names_no_file_of_another_folder() {
    let server = Tidegate::start(
        "server {
             listen 127.0.0.1:8080;
             location / { access_log logs/$arg_f.log; return 200 ok; }
         }",
    )
    .await;
    if !process::is_ours() {
        return;
    }
    server.get("/?f=../climbed").await.is(200);
    server.logs("/logs/../climbed.log\" failed").await;
    server.get("/?f=plain").await.is(200);
    let written = server.folder().join("logs/plain.log");
    crate::harness::eventually("the line", || async { written.exists() }).await;
    assert!(!server.folder().join("climbed.log").exists());
}

#[tokio::test]
async fn lines_are_compressed_in_their_file() {
    let mut server = Tidegate::start(
        "server {
             listen 127.0.0.1:8080;
             access_log logs/all.gz combined buffer=1k flush=20ms gzip=9;
             location / { return 200 ok; }
         }",
    )
    .await;
    for number in 0..40 {
        server.get(&format!("/{number}")).await.is(200);
    }
    let file = server.folder().join("logs/all.gz");
    let lines = || {
        let mut text = String::new();
        let bytes = std::fs::read(&file).unwrap_or_default();
        let _ = flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text);
        text.lines().count()
    };
    eventually("all lines are there", || async { lines() == 40 }).await;
    server.get("/last").await.is(200);
    // What waits is written at the end.
    server.signal(rustix::process::Signal::TERM);
    server.ends().await;
    assert_eq!(lines(), 41);
}

/// Datagrams that have come to a socket, each as text.
fn received(socket: &UnixDatagram) -> Vec<String> {
    let mut all = Vec::new();
    let mut bytes = vec![0; 70_000];
    socket.set_nonblocking(true).unwrap();
    while let Ok(length) = socket.recv(&mut bytes) {
        all.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
    }
    all
}

#[tokio::test]
async fn lines_go_to_syslog_servers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let socket = UnixDatagram::bind(&path).unwrap();
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_read_timeout(Some(DEADLINE)).unwrap();
    let (path, port) = (path.display(), udp.local_addr().unwrap().port());
    let server = Tidegate::start(&format!(
        "log_format short '$request';
         server {{
             listen 127.0.0.1:8080;
             error_log syslog:server=unix:{path},facility=local0,tag=gate,nohostname warn;
             error_log logs/error.log;
             access_log syslog:server=unix:{path},severity=debug,nohostname short;
             access_log syslog:server=127.0.0.1:{port} short;
         }}"
    ))
    .with_file("a", "A")
    .await;
    server.get("/a").await.is(200);
    server.get("/missing").await.is(404);
    let shape = |text: &str| {
        let (head, text) = text.split_at(text.find("> ").map_or(5, |at| at));
        format!("{head}{text}")
    };
    let come = RefCell::new(Vec::new());
    eventually("three lines", || async {
        come.borrow_mut().extend(received(&socket));
        come.borrow().len() >= 3
    })
    .await;
    let all = come.into_inner().iter().map(|text| shape(text)).collect::<Vec<_>>();
    assert_eq!(all.len(), 3, "{all:?}");
    let is = |start: &str, end: &str| {
        all.iter().any(|text| text.starts_with(start) && text.ends_with(end))
    };
    assert!(is("<191>", " nginx: GET /a HTTP/1.1"), "{all:?}");
    assert!(is("<191>", " nginx: GET /missing HTTP/1.1"), "{all:?}");
    assert!(is("<131>", "request: \"GET /missing HTTP/1.1\", host: \"localhost\""), "{all:?}");
    // `<191>Nov  6 08:49:37 nginx: …`
    assert_eq!(all[0].find(" nginx: "), Some("<191>Nov  6 08:49:37".len()), "{all:?}");
    let mut bytes = [0; 500];
    let length = udp.recv(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
    assert!(text.starts_with("<190>") && text.ends_with(" nginx: GET /a HTTP/1.1"), "{text}");
    drop((socket, folder));
    server.get("/a").await.is(200);
    server.logs("lines lost: 1").await;
}

#[tokio::test]
async fn faults_may_be_objects_of_json() {
    let server = Tidegate::start(
        "error_log logs/plain.log;
         error_log logs/faults.json info json;
         server { listen 127.0.0.1:8080; server_name site; }",
    )
    .await;
    server.ask("/missing?q | Host: site | Referer: \"x\"").await;
    eventually("both logs", || async {
        server.read("logs/faults.json").contains("missing")
            && server.read("logs/plain.log").contains("missing")
    })
    .await;
    let text = server.read("logs/faults.json");
    for line in text.lines() {
        assert!(line.starts_with("{\"time\":\"") && line.ends_with('}'), "{line}");
    }
    let words = "\"client\":\"127.0.0.1\",\"server\":\"site\",\"request\":\"GET /missing?";
    assert!(text.contains(words), "{text}");
    assert!(text.contains("\"referrer\":\"\\\"x\\\"\""), "{text}");
}

#[tokio::test]
async fn subrequests_get_lines_where_told() {
    let server = Tidegate::start(
        "log_format short '$uri $status';
         server {
             listen 127.0.0.1:8080;
             access_log logs/access.log short;
             location / { auth_request /told; }
             location /told { log_subrequest on; return 204; }
             location /quiet/ { auth_request /untold; }
             location /untold { return 204; }
         }",
    )
    .with_file("a", "A")
    .with_file("quiet/a", "A")
    .await;
    server.get("/a").await.is(200);
    server.get("/quiet/a").await.is(200);
    let lines = server.access_log(3).await;
    assert_eq!(lines, ["/told 204", "/a 200", "/quiet/a 200"]);
}

#[tokio::test]
async fn named_files_are_kept_open_and_need_their_root() {
    let server = Tidegate::start(
        "log_format short '$uri';
         server {
             listen 127.0.0.1:8080;
             root html/$arg_r;
             open_log_file_cache max=2 inactive=10s valid=60s min_uses=1;
             access_log logs/$arg_f.log short;
             location / { return 204; }
         }",
    )
    .with_file("site/a", "A")
    .await;
    for file in ["a", "b", "c", "a"] {
        server.get(&format!("/x?r=site&f={file}")).await.is(204);
    }
    eventually("the lines", || async { server.read("logs/a.log") == "/x\n/x\n" }).await;
    server.get("/x?r=made-up&f=d").await.is(204);
    server.logs("html/made-up\" existence failed (2: No such file or directory)").await;
    assert!(!server.folder().join("logs/d.log").exists());
}
