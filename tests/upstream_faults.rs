//! Backends that fail in every way, over and over: nothing is left behind.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fault::grpc::frame;
use crate::harness::backend::fastcgi::stdout;
use crate::harness::{Backend, Tidegate, eventually, process};

const ANSWERS: [&str; 9] = [
    "",
    "HTTP/1.1 200 O",
    "HTTP/1.1 200 OK\r\nX: y\r\n",
    "rubbish\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nmore than it said",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
];

/// Reads a request, answers in one of the ways, as the protocol has it, and closes, at times by a reset.
async fn faulty(wrap: fn(&str) -> Vec<u8>) -> Backend {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    Backend::raw(move |mut stream: TcpStream| async move {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut buffer = [0; 4096];
        let _ = stream.read(&mut buffer).await;
        let _ = stream.write_all(&wrap(ANSWERS[number % ANSWERS.len()])).await;
        if number.is_multiple_of(2) {
            let _ = stream.set_zero_linger();
        }
    })
    .await
}

#[tokio::test]
async fn two_thousand_faults_leave_nothing_behind() {
    if process::is_ours() {
        faults_leave_nothing_behind(2000).await;
    }
}

#[tokio::test]
#[ignore = "ten seconds"]
async fn ten_thousand_faults_leave_nothing_behind() {
    faults_leave_nothing_behind(10_000).await;
}

async fn faults_leave_nothing_behind(times: usize) {
    let plain: fn(&str) -> Vec<u8> = |text| text.as_bytes().to_vec();
    let backends = [
        faulty(plain).await,
        faulty(plain).await,
        faulty(plain).await,
        faulty(|text| stdout(text).into_bytes()).await,
        // Settings, and a head whose bytes mean something or nothing.
        faulty(|text| [frame(4, 0, 0, b""), frame(1, 4, 1, text.as_bytes())].concat()).await,
    ];
    let server = Tidegate::start(
        "access_log off;
         upstream_wait off;
         error_log logs/error.log crit;
         upstream two { server 127.0.0.1:8090; server 127.0.0.1:8098; }
         server {
             listen 127.0.0.1:8080;
             keepalive_requests 100000;
             location / { proxy_pass http://127.0.0.1:8090; }
             location /two { proxy_pass http://two; }
             location /uwsgi { uwsgi_pass 127.0.0.1:8091; }
             location /scgi { scgi_pass 127.0.0.1:8092; }
             location /fastcgi { fastcgi_pass 127.0.0.1:8093; }
             location /grpc { grpc_pass 127.0.0.1:8094; }
             location /refused { proxy_pass http://127.0.0.1:8098; }
             location /missing { proxy_pass http://unix:missing.sock; }
             location /waits { upstream_wait 20ms; proxy_pass http://127.0.0.1:8098; }
         }",
    )
    .with_port(8090, backends[0].port())
    .with_port(8091, backends[1].port())
    .with_port(8092, backends[2].port())
    .with_port(8093, backends[3].port())
    .with_port(8094, backends[4].port())
    .await;
    ask(&server, 400).await;
    let (open, memory) = (descriptors(&server), resident(&server));
    ask(&server, times).await;
    eventually("no descriptor is left open", || async { descriptors(&server) <= open }).await;
    // A thread's memory is in pages, whatever is in them: what grows would grow with the faults.
    let grown = resident(&server).saturating_sub(memory);
    assert!(grown < 4 * 1024, "{grown} KiB more, from {memory}, after {times}");
}

/// Asks so many times, on a few connections at a time.
async fn ask(server: &Tidegate, times: usize) {
    let client = server.at(8080);
    let clients = (0..8).map(|number| {
        tokio::spawn(async move {
            for ask in 0..times / 8 {
                let path = match (ask + number) % 40 {
                    0 => "/waits",
                    1..5 => "/refused",
                    5..9 => "/missing",
                    9..16 => "/two",
                    16..20 => "/uwsgi",
                    20..24 => "/scgi",
                    24..28 => "/fastcgi",
                    28..32 => "/grpc",
                    _ => "/faulty",
                };
                let body = if ask % 3 == 0 { "POST" } else { "GET" };
                let text = format!(
                    "{body} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
                );
                client.request(text).await;
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.expect("no client is left waiting");
    }
}

fn descriptors(server: &Tidegate) -> usize {
    let folder = format!("/proc/{}/fd", process::serving(server.pid()));
    std::fs::read_dir(folder).expect("a process").count()
}

/// Resident memory, in KiB.
fn resident(server: &Tidegate) -> usize {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", process::serving(server.pid())));
    let status = status.expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.expect("a size")
}
