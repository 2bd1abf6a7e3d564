//! Logs: times and sizes that no other server can say alike.

use crate::harness::{Tidegate, process};

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
    assert!(server.read("logs/own.log").contains("/own/x"));
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
