//! Handshakes that are none: closed in time, one line of the log each, and nothing left behind.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::harness::{DEADLINE, Tidegate, eventually, process};

/// No TLS, lengths that are none, SSL 2, a hello of nothing, and one that stalls.
const JUNK: [&[u8]; 5] = [
    b"\x16\x03\x01\x00\x05hello",
    b"\x16\x03\x01\xff\xff",
    b"\x80\x2e\x01\x00\x02",
    b"\x16\x03\x01\x00\x04\x01\x00\x00\x00",
    b"\x16\x03\x01",
];

/// How many come at once.
const TOGETHER: usize = 250;

/// How much more memory the server may hold behind them, in bytes.
const MEMORY: u64 = 16 << 20;

/// How often they all come: `TIDEGATE_STORM=long` for ten thousand of them.
fn rounds() -> usize {
    if std::env::var("TIDEGATE_STORM").is_ok_and(|text| text == "long") { 40 } else { 4 }
}

async fn send(port: u16, bytes: &[u8]) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer));
    let _ = read.await.expect("closed in time");
    assert!(answer.len() < 16, "{answer:?}");
}

#[tokio::test]
async fn what_is_no_handshake_is_closed_with_one_line_and_leaves_nothing() {
    let server = Tidegate::start(
        "master_process off; error_log logs/error.log info; events { worker_connections 2048; }
        http {
            ssl_certificate cert.pem; ssl_certificate_key key.pem;
            server { listen 127.0.0.1:8443 ssl; client_header_timeout 300ms; }
            server { listen 127.0.0.1:8445 ssl; return 200 ok; }
            server { listen 127.0.0.1:8444 ssl; ssl_reject_handshake on; }
            server { listen 127.0.0.1:8444 ssl; server_name b.test; return 200 b; }
        }",
    )
    .with_certificate(&["localhost"])
    .await;
    let process = format!("/proc/{}", process::serving(server.pid()));
    let descriptors = || std::fs::read_dir(format!("{process}/fd")).unwrap().count();
    let memory = || {
        let text = std::fs::read_to_string(format!("{process}/statm")).unwrap();
        let pages: Vec<u64> = text.split_whitespace().map(|text| text.parse().unwrap()).collect();
        (pages[1] - pages[2]) * 4096
    };
    server.at(8445).over_tls("localhost").get("/").await.is(200);
    let (before, held) = (descriptors(), memory());
    for _ in 0..rounds() {
        let mut tasks = JoinSet::new();
        for bytes in JUNK.into_iter().cycle().take(TOGETHER) {
            tasks.spawn(send(server.port(8443), bytes));
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    }
    eventually("everything is closed", async || descriptors() <= before).await;
    let sent = rounds() * TOGETHER;
    let count = || {
        let log = server.error_log();
        log.lines().filter(|line| line.contains("SSL handshaking")).count()
    };
    // The test's own look whether the ports are open is one line each.
    eventually("all are told of", async || count() >= sent).await;
    assert!((sent..=sent + 3).contains(&count()), "{} of {sent}", count());
    assert!(!server.error_log().contains("[error]") && !server.error_log().contains("[crit]"));
    let grown = memory().saturating_sub(held);
    assert!(grown < MEMORY, "{grown} bytes more after {sent}");
    let refused = server.at(8444).over_tls("a.test").try_handshake().await.unwrap_err();
    assert!(refused.contains("UnrecognisedName"), "{refused}");
    server.at(8444).over_tls("b.test").ask("GET / | Host: b.test").await.says("b");
}
