//! Where descriptors lack in the middle of a request: it is answered 503 at once, no server is to
//! blame, one line a second tells it, and what has come to rest gives way.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, geteuid, getrlimit, prlimit};

use crate::harness::dns::Dns;
use crate::harness::{Backend, Connection, Tidegate, eventually, process};

const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere";

/// Clients that have begun to ask, until no descriptor is left.
async fn fill(server: &Tidegate) -> Vec<Connection> {
    let path = format!("/proc/{}/fd", process::serving(server.pid()));
    let is_full = || {
        let names = std::fs::read_dir(&path).unwrap().flatten().map(|entry| entry.file_name());
        // Those beyond were inherited.
        let numbers = names.filter_map(|name| name.to_str()?.parse::<usize>().ok());
        numbers.filter(|number| *number < LIMIT).count() == LIMIT
    };
    let a_moment = || tokio::time::sleep(Duration::from_millis(10));
    let mut all = Vec::new();
    // Others may be about to leave.
    loop {
        if is_full() {
            a_moment().await;
            if is_full() {
                return all;
            }
        }
        let mut one = server.connect().await;
        one.send("GET /").await;
        all.push(one);
        assert!(all.len() < 2 * LIMIT, "there is always one left");
        a_moment().await;
    }
}

const LIMIT: usize = 60;

/// Asks for the rest of a path over a connection that has begun to.
async fn ask(connection: &mut Connection, path: &str) {
    connection.send(format!("{path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
}

#[tokio::test]
async fn a_request_that_finds_no_descriptor_gets_503_and_blames_nobody() {
    if !process::is_ours() {
        return;
    }
    let one = Backend::http(|_| ANSWER.into()).await;
    let other = Backend::http(|_| ANSWER.into()).await;
    let server = Tidegate::start(
        "worker_processes 1; worker_rlimit_nofile 60; error_log logs/error.log; events {}
         http { log_format tries '$request_uri $status $upstream_addr $upstream_status';
             access_log logs/access.log tries;
             upstream both { keepalive 0; server 127.0.0.1:8090 max_fails=1 fail_timeout=60s;
                 server 127.0.0.1:8091 max_fails=1 fail_timeout=60s; }
             server { listen 127.0.0.1:8080;
                 location / { root html; }
                 location /app { proxy_pass http://both; } } }",
    )
    .with_file("page", "a file")
    .with_file("another", "a file")
    .with_port(8090, one.port())
    .with_port(8091, other.port())
    .await;
    server.get("/page").await.is(200);
    let mut clients = fill(&server).await;
    let mut asking = clients.drain(..6).collect::<Vec<_>>();
    let start = Instant::now();
    // All at once, for each that is answered makes room.
    for connection in &mut asking {
        ask(connection, "app").await;
    }
    let mut answers = Vec::new();
    for connection in &mut asking {
        answers.push(connection.answer().await);
    }
    let took = start.elapsed();
    let refused = answers.iter().filter(|answer| answer.status == 503).count();
    assert!(refused > 0 && took < Duration::from_secs(5), "{refused} in {took:?}");
    for answer in &answers {
        assert!([200, 503].contains(&answer.status), "{}", answer.status);
        assert_eq!(answer.keeps_alive(), answer.status == 200);
    }
    server.logs("socket() failed (24: Too many open files) while connecting to upstream").await;
    let told = server.error_log().matches("socket() failed").count();
    assert!((1..=took.as_secs() as usize + 2).contains(&told), "{told} lines in {took:?}");
    drop((asking, clients));
    eventually("it recovers", || async { server.get("/app").await.status == 200 }).await;
    for _ in 0..4 {
        server.get("/app").await.is(200).says("here");
    }
    assert!(one.connections() > 1 && other.connections() > 1, "neither was given up");
    assert!(!server.error_log().contains("temporarily disabled"));

    let mut clients = fill(&server).await;
    ask(&mut clients[0], "another").await;
    clients[0].answer().await.is(503).has("Connection", "close");
    drop(clients);
    eventually("it recovers", || async { server.get("/page").await.status == 200 }).await;
}

#[tokio::test]
async fn idle_connections_to_upstreams_give_way() {
    if !process::is_ours() {
        return;
    }
    let one = Backend::http(|_| ANSWER.into()).await;
    let other = Backend::http(|_| ANSWER.into()).await;
    let server = Tidegate::start(
        "worker_processes 1; worker_rlimit_nofile 60; error_log logs/error.log; events {}
         http { server { listen 127.0.0.1:8080;
             location /one { proxy_pass http://127.0.0.1:8090; }
             location /other { proxy_pass http://127.0.0.1:8091; } } }",
    )
    .with_port(8090, one.port())
    .with_port(8091, other.port())
    .await;
    server.get("/one").await.is(200);
    let mut clients = fill(&server).await;
    ask(&mut clients[0], "other").await;
    clients[0].answer().await.is(200).says("here");
    assert!(!server.error_log().contains("socket() failed"));
}

/// Lets a process have no descriptor beyond those it has, or as many as before.
fn limit(pid: i32, current: Option<u64>) -> Option<u64> {
    let pid = Pid::from_raw(pid);
    let before = prlimit(pid, Resource::Nofile, Rlimit { current, ..getrlimit(Resource::Nofile) });
    before.unwrap().current
}

/// What a request can lack a descriptor for: what it asks, and what else it says.
const KINDS: [(&str, &str); 15] = [
    ("GET /uwsgi", ""),
    ("GET /fastcgi", ""),
    ("GET /scgi", ""),
    ("GET /grpc", ""),
    ("GET /socket", ""),
    ("GET /name", ""),
    ("GET /group", ""),
    ("GET /checked", ""),
    ("GET /secret", "Authorization: Basic YTpi\r\n"),
    ("POST /upload", "Content-Length: 9\r\n"),
    ("POST /mirrored", "Content-Length: 9\r\n"),
    ("PUT /dav/new", "Content-Length: 9\r\n"),
    ("GET /list/", ""),
    ("GET /tried", ""),
    ("GET /coded.css", "Accept-Encoding: gzip\r\n"),
];

#[tokio::test]
async fn whatever_a_request_lacks_a_descriptor_for_it_gets_503() {
    if !process::is_ours() {
        return;
    }
    let dns = Dns::start().await;
    let server = Tidegate::start(
        "worker_processes 1; error_log logs/error.log; events {}
         http { client_body_buffer_size 4; upstream_wait off; resolver 127.0.0.1:8053 ipv6=off;
             upstream group { zone group 64k; server a.test:80 resolve; }
             server { listen 127.0.0.1:8080; root html;
                 location = / { return 204; }
                 location /uwsgi { uwsgi_pass 127.0.0.1:8090; }
                 location /fastcgi { fastcgi_pass 127.0.0.1:8090; }
                 location /scgi { scgi_pass 127.0.0.1:8090; }
                 location /grpc { grpc_pass 127.0.0.1:8090; }
                 location /socket { proxy_pass http://unix:nobody.socket; }
                 location /name { set $name b.test; proxy_pass http://$name; }
                 location /group { proxy_pass http://group; }
                 location /checked { auth_request /uwsgi; }
                 location /secret { auth_basic a; auth_basic_user_file users; }
                 location /upload { proxy_pass http://127.0.0.1:8090; }
                 location /mirrored { mirror /uwsgi; }
                 location /dav { dav_methods PUT; create_full_put_path on; }
                 location /list/ { autoindex on; }
                 location /tried { try_files /page =404; }
                 location /coded.css { gzip_static on; }
                 location /logged { access_log logs/$host.log; return 200 said; } } }",
    )
    .with_file("page", "a file")
    .with_file("coded.css.gz", "a file")
    .with_file("list/page", "a file")
    .with_prefix_file("users", "a:{PLAIN}b\n")
    .with_port(8053, dns.port())
    .await;
    let pid = process::serving(server.pid());
    let start = Instant::now();
    for (line, more) in KINDS {
        // Once it is answered it has its descriptor.
        let mut client = server.connect().await;
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        client.answer().await.is(204);
        let before = limit(pid, Some(3));
        let body = if line.starts_with("GET") { "" } else { "more of it" };
        client.send(format!("{line} HTTP/1.1\r\nHost: a\r\n{more}\r\n{body}")).await;
        let answer = client.answer().await;
        limit(pid, before);
        assert_eq!(answer.status, 503, "{line}: {}", server.error_log());
        assert!(!answer.keeps_alive(), "{line}");
        // With a descriptor it is answered by something else.
        let other = format!("{line} HTTP/1.1\r\nHost: a\r\n{more}\r\n{body}");
        let other = server.ask(&other).await;
        assert_ne!(other.status, 503, "{line}");
    }
    let told = server.error_log().matches("(24: Too many open files)").count();
    let seconds = start.elapsed().as_secs() as usize;
    assert!(told <= seconds + 2, "one line a second, not {told} in {seconds}");
    assert!(!server.error_log().contains("temporarily disabled"), "nobody is to blame");

    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.answer().await.is(204);
    let before = limit(pid, Some(3));
    ask(&mut client, "GET /logged").await;
    client.answer().await.is(200).says("said");
    // The line is lost, and nothing else.
    server.logs("logs/a.log\" failed (24: Too many open files)").await;
    limit(pid, before);
}

/// The lowest limit by which a process can still be asked: the master holds a descriptor back for that.
fn lowest(pid: i32) -> u64 {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let held_back = open.filter(|entry| {
        std::fs::read_link(entry.path()).is_ok_and(|path| path.ends_with("/dev/null"))
    });
    let numbers = held_back.filter_map(|entry| entry.file_name().to_str()?.parse::<u64>().ok());
    numbers.max().unwrap() + 1
}

#[tokio::test]
async fn a_reload_that_finds_no_descriptor_changes_nothing_wherever_that_is() {
    if !process::is_ours() {
        return;
    }
    let conf = |word: &str, more: &str, main: &str| {
        format!(
            "{main} error_log logs/error.log info; events {{}} http {{ access_log off;
             server {{ listen 127.0.0.1:8080; {more} location / {{ return 200 {word}; }} }} }}"
        )
    };
    let new = "listen 127.0.0.1:8081 ssl; ssl_certificate cert.pem; ssl_certificate_key key.pem;
               location /log { access_log logs/more.log; }";
    let is_root = geteuid().is_root();
    let mut server = Tidegate::start(&conf("old", "", "")).with_certificate(&["a"]).await;
    server.name_port(8081);
    // The master, or the only process; the process that serves; and the master where it has to start
    // another.
    for (serves, main) in [(false, ""), (true, ""), (false, "env A=1;")] {
        if !is_root && (serves || !main.is_empty()) {
            continue;
        }
        server.put_conf(&conf("old", "", ""));
        assert!(server.command(&["reload"]).status.success());
        let mut kept = server.connect().await;
        let pid = if serves { process::serving(server.pid()) } else { server.pid() };
        let children = process::children(server.pid());
        server.put_conf(&conf("new", new, main));
        let lowest = lowest(pid);
        let mut refused = 0;
        for free in 0.. {
            let before = limit(pid, Some(lowest + free));
            let output =
                server.command(if free % 2 == 0 { &["reload"] } else { &["-s", "reload"] });
            limit(pid, before);
            if output.status.success() {
                break;
            }
            refused += 1;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{said}");
            for words in
                ["Too many open files", "worker_rlimit_nofile", "the old configuration holds on"]
            {
                assert!(said.contains(words), "{free}: {said}");
            }
            kept.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
            kept.answer().await.is(200).says("old");
            assert_eq!(process::children(server.pid()), children, "{free}: {said}");
            assert!(!server.at(8081).is_open().await, "{free}: {said}");
        }
        server.get("/").await.says("new");
        assert!(server.at(8081).is_open().await);
        assert!(refused > 0);
    }
}
