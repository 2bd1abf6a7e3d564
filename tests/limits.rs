//! At its limits the server answers 503 at once, and recovers by itself: connections, descriptors,
//! memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

use crate::harness::{Backend, Connection, DEADLINE, Http2, Tidegate, eventually, process};

const ASK: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// A backend whose answers come when it is told, and what tells it. Told of every request.
struct Held {
    backend: Backend,
    asked: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl Held {
    async fn new() -> Self {
        let (asked, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (was_asked, may_go_on) = (asked.clone(), go_on.clone());
        let backend = Backend::raw(move |mut stream| {
            let (asked, go_on) = (was_asked.clone(), may_go_on.clone());
            async move {
                let _ = stream.read(&mut [0; 1024]).await;
                let released = go_on.notified();
                asked.notify_one();
                released.await;
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate";
                let _ = stream.write_all(answer).await;
            }
        });
        Self { backend: backend.await, asked, go_on }
    }

    /// A request that is at the backend.
    async fn request(&self, server: &Tidegate) -> Connection {
        let mut connection = server.connect().await;
        connection.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let asked = tokio::time::timeout(DEADLINE, self.asked.notified());
        asked.await.expect("the backend is asked");
        connection
    }
}

/// The processor time of a server and its workers so far, in hundredths of a second.
fn ticks(pid: i32) -> u64 {
    let pids = process::children(pid).into_iter().chain([pid]);
    let time = |pid: i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum::<u64>()
    };
    pids.map(time).sum()
}

/// Asks one after another, and has everyone told at once that there is no room.
async fn are_turned_away(server: &Tidegate, number: u32) {
    let (mut soonest, spent) = (DEADLINE, ticks(server.pid()));
    for _ in 0..number {
        let start = Instant::now();
        let mut turned_away = server.connect().await;
        turned_away.send(ASK).await;
        let answer = turned_away.answer().await;
        answer.is(503).has("Connection", "close").mentions("503 Service Temporarily Unavailable");
        assert!(turned_away.closes().await);
        soonest = soonest.min(start.elapsed());
    }
    let spent = ticks(server.pid()) - spent;
    // Those who do not ask are waited for for a second.
    assert!(soonest < Duration::from_millis(900), "{soonest:?}");
    assert!(spent < 50, "{number} cost {spent} hundredths of a second");
}

#[tokio::test]
async fn a_worker_that_has_as_many_connections_as_it_may_says_so_at_once() {
    if !process::is_ours() {
        return;
    }
    let held = Held::new().await;
    let server = Tidegate::start(
        "worker_processes 1; error_log logs/error.log warn; events { worker_connections 2; }
         http { server { listen 127.0.0.1:8080;
             location / { return 200 here; }
             location /status { stub_status; }
             location /slow { proxy_pass http://127.0.0.1:8090; } } }",
    )
    .with_port(8090, held.backend.port())
    .await;
    let start = Instant::now();
    let mut one = server.connect().await;
    one.send(ASK).await;
    one.answer().await.is(200);
    let mut two = held.request(&server).await;
    // One that has begun to ask again is not cut off; one that is idle makes room; one that is at
    // work is left alone.
    let (begin, rest) = ASK.split_at(5);
    one.send(begin).await;
    are_turned_away(&server, 1).await;
    one.send(rest).await;
    one.answer().await.is(200);
    tokio::time::sleep(Duration::from_millis(250)).await;
    let mut three = held.request(&server).await;
    assert!(one.closes().await);
    // More than are waited for at a time, and silent ones among them.
    let mut silent = Vec::new();
    for _ in 0..70 {
        silent.push(server.connect().await);
    }
    are_turned_away(&server, 30).await;
    drop(silent);
    tokio::time::sleep(Duration::from_secs(1)).await;
    are_turned_away(&server, 2).await;
    server.logs("[alert]").await;
    server.logs("2 worker_connections are not enough, 1").await;
    let lines = server.error_log().matches("are not enough").count();
    let seconds = start.elapsed().as_secs() as usize;
    assert!((2..=seconds + 4).contains(&lines), "{lines} lines in {seconds} seconds");
    held.go_on.notify_waiters();
    two.answer().await.is(200).says("late");
    three.answer().await.is(200).says("late");
    // Two are idle by now; a line about it is the first of its second.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    server.get("/").await.is(200).says("here");
    server.logs("2 worker_connections are not enough, reusing connections").await;
    // Taken, and served.
    server.get("/status").await.mentions("\n 109 6 ");
    let output = server.command(&["status"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("103 turned away"), "{text}");
    assert!(server.is_open().await);
}

#[tokio::test]
async fn one_beyond_the_connections_of_a_port_of_tls_is_closed() {
    if !process::is_ours() {
        return;
    }
    let held = Held::new().await;
    let server = Tidegate::start(
        "worker_processes 1; error_log logs/error.log warn; events { worker_connections 3; }
         http { server { listen 127.0.0.1:8080;
                    location /slow { proxy_pass http://127.0.0.1:8090; } }
                server { listen 127.0.0.1:8443 ssl; ssl_reject_handshake on; } }",
    )
    .with_port(8090, held.backend.port())
    .await;
    let mut busy = Vec::new();
    for _ in 0..3 {
        busy.push(held.request(&server).await);
    }
    let mut encrypted = server.at(8443).connect().await;
    assert!(encrypted.closes().await);
    are_turned_away(&server, 1).await;
}

#[tokio::test]
async fn where_descriptors_lack_clients_are_told_and_it_recovers() {
    if !process::is_ours() {
        return;
    }
    // An even number and an odd one: the last that is left is half of what a request takes.
    tokio::join!(is_without_descriptors(50), is_without_descriptors(51));
}

async fn is_without_descriptors(number: u32) {
    let held = Held::new().await;
    let server = Tidegate::start(&format!(
        "worker_processes 1; worker_rlimit_nofile {number}; error_log logs/error.log; events {{}}
         http {{ access_log off; server {{ listen 127.0.0.1:8080;
             location / {{ return 200 here; }}
             location /slow {{ proxy_pass http://127.0.0.1:8090; }} }} }}"
    ))
    .with_port(8090, held.backend.port())
    .await;
    let start = Instant::now();
    server.get("/").await.is(200);
    let mut idle = Vec::new();
    for _ in 0..60 {
        idle.push(server.connect().await);
    }
    // Idle ones make room for those who ask.
    tokio::time::sleep(Duration::from_millis(1300)).await;
    let mut more = Vec::new();
    for _ in 0..20 {
        server.get("/").await.is(200).says("here");
        more.push(server.connect().await);
    }
    server.logs("accept4() failed (24: Too many open files), reusing connections").await;
    drop((idle, more));
    eventually("they are gone", || async {
        let output = server.command(&["status"]);
        String::from_utf8_lossy(&output.stdout).contains("connections: 0 open")
    })
    .await;
    // Each takes two.
    let mut busy = Vec::new();
    loop {
        let mut connection = server.connect().await;
        connection.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
        tokio::select! {
            () = held.asked.notified() => busy.push(connection),
            answer = connection.answer() => {
                answer.is(503).has("Connection", "close");
                break;
            }
        }
        assert!(busy.len() < 50);
    }
    // One may be left, and there may be those of who left just now: they are for who begins to ask.
    let mut refused = 0;
    while refused < 3 {
        let mut connection = server.connect().await;
        connection.send(ASK).await;
        if connection.answer().await.status == 503 {
            refused += 1;
            continue;
        }
        connection.send("GET /").await;
        busy.push(connection);
        assert!(busy.len() < 50);
    }
    are_turned_away(&server, 20).await;
    let lines = server.error_log().matches("accept4() failed").count();
    let seconds = start.elapsed().as_secs() as usize;
    assert!(lines <= seconds + 3, "{lines} lines in {seconds} seconds");
    drop(busy);
    held.go_on.notify_waiters();
    eventually("it recovers", || async { server.get("/").await.text() == "here" }).await;
}

#[tokio::test]
async fn what_is_in_memory_is_bounded() {
    if !process::is_ours() {
        return;
    }
    let held = Held::new().await;
    let conf = |limit: &str| {
        format!(
            "worker_processes 2; {limit} error_log logs/error.log warn; events {{}}
             http {{ client_max_body_size 0; client_body_buffer_size 200m; server {{
                 listen 127.0.0.1:8080; http2 on;
                 location / {{ return 200 here; }}
                 location /slow {{ proxy_pass http://127.0.0.1:8090; }} }} }}"
        )
    };
    let mut server = Tidegate::start(&conf("worker_memory_limit 150m;"))
        .with_port(8090, held.backend.port())
        .await;
    let mut idle = server.connect().await;
    idle.send(ASK).await;
    idle.answer().await.is(200);
    let mut large = server.connect().await;
    large.send("POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 199000000\r\n\r\n").await;
    let piece = "x".repeat(1_000_000);
    for _ in 0..198 {
        large.send(&piece).await;
    }
    server.logs("m of memory are more than worker_memory_limit 150m").await;
    assert!(idle.closes().await, "idle ones end");
    server.get("/").await.is(503).has("Connection", "close");
    let mut streams = Http2::to(&server.at(8080)).await;
    streams.get("/").await.is(503);
    // What was begun goes on.
    large.send(&piece).await;
    let asked = tokio::time::timeout(DEADLINE, held.asked.notified());
    asked.await.expect("the backend is asked");
    held.go_on.notify_waiters();
    large.answer().await.is(200).says("late");
    drop(large);
    eventually("it is less again", || async { server.get("/").await.status == 200 }).await;
    server.logs("m of memory keep to worker_memory_limit 150m: requests are served again").await;
    // A reload takes up another limit.
    server.put_conf(&conf("worker_memory_limit 1m;"));
    assert!(server.command(&["-s", "reload"]).status.success());
    eventually("it has more than that", || async { server.get("/").await.status == 503 }).await;
    server.put_conf(&conf(""));
    assert!(server.command(&["-s", "reload"]).status.success());
    eventually("there is no limit", || async { server.get("/").await.status == 200 }).await;
}
