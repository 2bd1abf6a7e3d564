//! Reloads and deaths under load: nothing is lost that need not be. In short; the long form, as
//! long as an evening's traffic, runs with `TIDEGATE_STORM=long cargo test --test tidegate storm`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::task::JoinHandle;

use crate::harness::http2::{END_STREAM, get, request};
use crate::harness::{Backend, Client, Connection, Http2, Tidegate, backend, eventually, process};

fn is_long() -> bool {
    std::env::var("TIDEGATE_STORM").is_ok_and(|text| text == "long")
}

fn conf(number: u32) -> String {
    format!(
        "user root; worker_processes {}; error_log logs/error.log notice; events {{}}
         http {{ access_log off; server {{
             listen 127.0.0.1:8080; http2 on;
             location = / {{ add_header X-Number {number}; return 200 word; }}
             location /large-not {{ return 404; }}
             location /post {{ proxy_pass http://127.0.0.1:8090; }}
             location /socket {{
                 proxy_pass http://127.0.0.1:8091; proxy_http_version 1.1;
                 proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
             }}
             location /large {{ }}
         }} }}",
        2 + number / 2 % 2
    )
}

/// Clients of every kind, until they are told to stop; each fails its task at the first loss.
struct Clients {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU32>,
    tasks: Vec<JoinHandle<()>>,
}

impl Clients {
    fn of(client: Client, each: usize) -> Self {
        let mut clients = Self { stop: Arc::default(), done: Arc::default(), tasks: Vec::new() };
        for _ in 0..each {
            clients.start(client, kept);
            clients.start(client, posting);
        }
        clients.start(client, streams);
        clients.start(client, slow);
        clients.start(client, talking);
        clients
    }

    fn start<F>(&mut self, client: Client, kind: fn(Client, Until) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let until = Until(self.stop.clone(), self.done.clone());
        self.tasks.push(tokio::spawn(kind(client, until)));
    }

    async fn end(self) -> u32 {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.expect("nothing is lost");
        }
        self.done.load(Ordering::Relaxed)
    }
}

struct Until(Arc<AtomicBool>, Arc<AtomicU32>);

impl Until {
    fn go_on(&self) -> bool {
        self.1.fetch_add(1, Ordering::Relaxed);
        !self.0.load(Ordering::Relaxed)
    }
}

async fn repeat(client: Client, until: Until, ask: &str, says: &str) {
    let mut connection = client.connect().await;
    while until.go_on() {
        connection.send(ask).await;
        let answer = connection.answer().await;
        answer.is(200).says(says);
        if !answer.keeps_alive() {
            connection = client.connect().await;
        }
    }
}

async fn kept(client: Client, until: Until) {
    repeat(client, until, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "word").await;
}

async fn posting(client: Client, until: Until) {
    let body = "x".repeat(20_000);
    let ask = format!("POST /post HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n{body}");
    repeat(client, until, &ask, "20000 bytes").await;
}

/// Streams of HTTP/2, some at a time, with bodies and without.
async fn streams(client: Client, until: Until) {
    let mut connection = Http2::to(&client).await;
    let body = "x".repeat(20_000);
    while until.go_on() {
        let heads = [get("/", &[]), get("/large-not", &[]), get("/", &[])];
        let mut asked = Vec::new();
        for head in &heads {
            asked.push(connection.head(head, END_STREAM).await);
        }
        for (place, stream) in asked.into_iter().enumerate() {
            let answer = connection.reply(stream).await.answer();
            answer.is(if place == 1 { 404 } else { 200 });
        }
        let posted = connection.post(&request("POST", "/post", &[]), body.as_bytes()).await;
        posted.answer().is(200).says("20000 bytes");
        if connection.is_leaving() {
            connection = Http2::to(&client).await;
        }
    }
}

/// A download that lasts as long as the storm.
async fn slow(client: Client, until: Until) {
    let mut connection: Connection = client.connect().await;
    connection.send("GET /large HTTP/1.0\r\n\r\n").await;
    for _ in 0..20 {
        connection.until("end of a piece").await;
        if until.go_on() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert!(connection.closes().await);
}

async fn talking(client: Client, until: Until) {
    let mut socket = client.connect().await;
    let hello =
        "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    socket.send(hello).await;
    socket.until("\r\n\r\n").await;
    while until.go_on() {
        socket.send("message;").await;
        assert_eq!(socket.until(";").await, "message;");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn started(backends: (&Backend, &Backend)) -> Tidegate {
    let piece = "x".repeat(200_000) + "end of a piece";
    Tidegate::start(&conf(0))
        .with_port(8090, backends.0.port())
        .with_port(8091, backends.1.port())
        .with_file("large", piece.repeat(20))
        .await
}

/// The process that serves.
fn serving(server: &Tidegate) -> i32 {
    process::serving(server.pid())
}

/// The memory of a process that is no file's, in KiB.
fn memory(pid: i32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn descriptors(pid: i32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reloads_under_load_lose_nothing_and_broken_ones_change_nothing() {
    if !process::is_ours() {
        return;
    }
    let posts = Backend::http(|ask| {
        backend::ok(&format!("{} bytes", ask.split("\r\n\r\n").nth(1).map_or(0, str::len)))
    })
    .await;
    let sockets = Backend::echoing().await;
    let mut server = started((&posts, &sockets)).await;
    let (reloads, each, pause) = if is_long() { (100, 32, 500) } else { (8, 2, 20) };
    let clients = Clients::of(server.at(8080), each);
    let done = clients.done.clone();
    eventually("all are at work", || async { done.load(Ordering::Relaxed) > 20 }).await;
    let worker = serving(&server);
    let mut halfway = (0, 0);
    for number in 1..=reloads {
        if number % 2 == 0 {
            server.put_conf("events {} http { nonsense; }");
            assert!(!server.command(&["reload"]).status.success());
            server.get("/").await.has("X-Number", &(number - 1).to_string());
        } else {
            server.put_conf(&conf(number));
            let output = server.command(&["reload"]);
            assert!(output.status.success(), "{output:?}");
            server.get("/").await.has("X-Number", &number.to_string());
        }
        tokio::time::sleep(Duration::from_millis(pause)).await;
        if number == reloads / 2 {
            // By now there are the idle connections to upstreams that are kept, too.
            halfway = (descriptors(worker), memory(worker));
        }
    }
    assert!(clients.end().await > reloads);
    assert_eq!(serving(&server), worker);
    let (open, held) = halfway;
    eprintln!("{held} KiB halfway, {} KiB at the end", memory(worker));
    // Fifty reloads more that each keep a configuration would hold as much again.
    assert!(memory(worker) < held + held / 4 + 4096, "{held} KiB halfway");
    eventually("descriptors are given back", || async { descriptors(worker) <= open }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_killed_under_load_is_back_soon() {
    if !process::is_ours() || !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root has two processes");
        return;
    }
    let backends = (Backend::http(|_| backend::ok("")).await, Backend::echoing().await);
    let server = started((&backends.0, &backends.1)).await;
    server.get("/").await.is(200);
    let ask = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let (mut longest, mut soonest) = (Duration::ZERO, Duration::MAX);
    let times = if is_long() { 20 } else { 2 };
    for signal in [Signal::KILL, Signal::SEGV].into_iter().cycle().take(times) {
        // One that dies young is followed after a pause.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let mut own = server.connect().await;
        own.send(ask).await;
        own.answer().await.is(200);
        let worker = serving(&server);
        let start = Instant::now();
        eventually("the worker is dead", || async {
            // A fault that is sent, not made, is overlooked once by the language's own handler.
            let _ = kill_process(Pid::from_raw(worker).unwrap(), signal);
            !process::children(server.pid()).contains(&worker)
        })
        .await;
        // The dead one's connections are lost, and from here on nobody's.
        assert!(own.closes().await);
        for number in 0..20 {
            server.get("/").await.is(200);
            if number == 0 {
                longest = longest.max(start.elapsed());
                soonest = soonest.min(start.elapsed());
            }
        }
    }
    eprintln!("back after {} ms at most", longest.as_millis());
    // Few are no measure on a busy machine.
    let back = if is_long() { longest } else { soonest };
    assert!(back < Duration::from_millis(if is_long() { 100 } else { 5000 }), "{back:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_is_killed_under_load_takes_nothing_along() {
    if !process::is_ours() || !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root has two processes");
        return;
    }
    let posts = Backend::http(|ask| {
        backend::ok(&format!("{} bytes", ask.split("\r\n\r\n").nth(1).map_or(0, str::len)))
    })
    .await;
    let sockets = Backend::echoing().await;
    let mut server = started((&posts, &sockets)).await;
    let clients = Clients::of(server.at(8080), 1);
    let done = clients.done.clone();
    eventually("all are at work", || async { done.load(Ordering::Relaxed) > 20 }).await;
    let worker = serving(&server);
    server.signal(Signal::KILL);
    server.ends().await;
    let before = done.load(Ordering::Relaxed);
    eventually("they go on", || async { done.load(Ordering::Relaxed) > before + 50 }).await;
    clients.end().await;
    kill_process(Pid::from_raw(worker).unwrap(), Signal::TERM).unwrap();
    eventually("it ends", || async { !server.is_open().await }).await;
}
