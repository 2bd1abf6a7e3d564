//! Many connections: those that are idle cost little, and those that are short are all answered.
//! In short; `TIDEGATE_STORM=long cargo test --test tidegate crowd` has ten thousand.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{DEADLINE, Http2, Tidegate, eventually, process, tls};
use short::Storm;

/// What the benches load a server with.
#[path = "../benches/short.rs"]
#[allow(dead_code)]
mod short;

fn is_long() -> bool {
    std::env::var("TIDEGATE_STORM").is_ok_and(|text| text == "long")
}

/// Lets this process have as many open files as it may; how many that is.
fn raise_limit() -> u64 {
    let most = getrlimit(Resource::Nofile).maximum;
    let _ = setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most });
    most.unwrap_or(u64::MAX)
}

/// The memory that a server and its workers hold, in KiB.
fn memory(pid: i32) -> u64 {
    let pids = process::children(pid).into_iter().chain([pid]);
    let held = |pid: i32| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0)
    };
    pids.map(held).sum()
}

/// What the error log says, save that a worker stood still: on a busy machine it does, and does not
/// know who was in its way.
fn complaints(server: &Tidegate) -> Vec<String> {
    let log = server.error_log();
    log.lines().filter(|line| !line.contains(" stood still for ")).map(str::to_owned).collect()
}

const CONF: &str = "worker_processes 2; error_log logs/error.log warn;
    events { worker_connections 6000; }
    http { access_log off; server { listen 127.0.0.1:8080 backlog=4096; return 200 here; } }";

const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn idle_connections_cost_little() {
    if !process::is_ours() {
        return;
    }
    let wanted = if is_long() { 10_000 } else { 2_000 };
    if raise_limit() < wanted + 500 {
        eprintln!("skipped: {wanted} connections take as many open files");
        return;
    }
    let server = Tidegate::start(CONF).await;
    server.get("/").await.is(200);
    let before = memory(server.pid());
    let mut idle = Vec::new();
    for _ in 0..wanted {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port(8080))).await.unwrap();
        stream.write_all(ASK).await.unwrap();
        idle.push(stream);
    }
    let mut buffer = [0; 1024];
    for stream in &mut idle {
        assert!(stream.read(&mut buffer).await.unwrap() > 0);
    }
    server.get("/").await.is(200).says("here");
    let each = (memory(server.pid()) - before) as f64 / wanted as f64;
    eprintln!("{wanted} idle connections hold {each:.1} KiB each");
    // A test's build; benches tell the true figure.
    assert!(each < 16.0, "{each} KiB");
    drop(idle);
    eventually("they are gone", || async {
        let output = server.command(&["status"]);
        String::from_utf8_lossy(&output.stdout).contains("connections: 0 open")
    })
    .await;
    assert!(complaints(&server).is_empty(), "{:?}", complaints(&server));
}

#[tokio::test]
async fn idle_connections_of_http_2_cost_a_bounded_lot() {
    if !process::is_ours() {
        return;
    }
    let server = Tidegate::start(
        "worker_processes 1; events { worker_connections 3000; }
        http {
            ssl_certificate cert.pem; ssl_certificate_key key.pem; http2 on; access_log off;
            server { listen 127.0.0.1:8080; return 200 here; }
            server { listen 127.0.0.1:8443 ssl; return 200 here; }
        }",
    )
    .with_certificate(&["localhost"])
    .await;
    let connect = async |port: u16| {
        if port == 8080 {
            return Http2::to(&server).await;
        }
        let mut config = tls::config();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let socket = TcpStream::connect(("127.0.0.1", server.port(port))).await.unwrap();
        let shaken = tls::connect(socket, "localhost", Arc::new(config)).await.unwrap();
        Http2::over(shaken).begun(&[]).await
    };
    // What is said to the allocator about large pages is a third of it.
    for (port, most) in [(8080, 28.0), (8443, 37.0)] {
        let wanted = if is_long() { 1000 } else { 400 };
        if raise_limit() < wanted as u64 + 500 {
            eprintln!("skipped: {wanted} connections take as many open files");
            return;
        }
        connect(port).await.get("/").await.is(200);
        let before = memory(server.pid());
        let mut idle = Vec::new();
        for _ in 0..wanted {
            let mut client = connect(port).await;
            client.get("/").await.is(200);
            idle.push(client);
        }
        assert_eq!(idle.len(), wanted);
        let each = (memory(server.pid()) - before) as f64 / wanted as f64;
        eprintln!("{wanted} idle connections of HTTP/2 on {port} hold {each:.1} KiB each");
        assert!(each < most, "{each} KiB");
    }
}

/// Half a second at two thousand a second; in long, ten seconds at twenty thousand, which a release keeps
/// up with (`benches/short`). A debug build is late, and loses none.
#[tokio::test]
async fn short_connections_are_all_answered() {
    let server = Tidegate::start(CONF).await;
    let (rate, seconds) = if is_long() { (20_000.0, 10.0) } else { (2000.0, 0.5) };
    let storm = Storm {
        to: ([127, 0, 0, 1], server.port(8080)).into(),
        request: "GET / HTTP/1.0\r\n\r\n".to_owned(),
        word: "here".to_owned(),
        rate,
        length: Duration::from_secs_f64(seconds),
        // Of each, however long all take: a busy machine is late, and loses nobody for that.
        patience: 10 * DEADLINE,
    };
    let told = tokio::task::spawn_blocking(|| storm.run()).await.unwrap();
    let reached = told.answered as f64 / told.took.as_secs_f64();
    eprintln!(
        "{reached:.0} short connections a second, {:.1} ms at most from when one was due",
        told.longest.as_secs_f64() * 1e3
    );
    assert_eq!((told.lost, told.unoffered), (0, 0), "asked in vain, and never asked for that");
    assert_eq!((told.other, told.refused, told.reset), (0, 0, 0));
    assert_eq!(told.answered, (rate * seconds) as u64);
    assert!(complaints(&server).is_empty(), "{:?}", complaints(&server));
}
