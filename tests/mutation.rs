//! Answers of upstreams with bytes changed, lost, doubled: whatever comes, the server stays, and the
//! client's request ends.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::backend::fastcgi;
use crate::harness::http2::{DATA, END_HEADERS, HEADERS, frame, literals, settings_frame};
use crate::harness::{Backend, DEADLINE, Tidegate, eventually, process};

/// How often each protocol is tried; each run takes others.
const TIMES: u64 = 300;

/// Numbers from a seed (Knuth's generator of 64 bits).
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most.max(1)
    }

    /// Changes bytes, in one of a few ways and up to four times.
    fn mutate(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        for _ in 0..=self.below(4) {
            let place = self.below(bytes.len());
            let end = (place + 1 + self.below(12)).min(bytes.len());
            match self.below(6) {
                0 => bytes.truncate(place),
                1 => drop(bytes.drain(place..end)),
                2 => bytes = [&bytes[..end], &bytes[place..]].concat(),
                3 => bytes.insert(place, self.below(256) as u8),
                _ if bytes.is_empty() => {}
                4 => bytes[place] = b"\r\n:; \t\0\x7f\xff0"[self.below(10)],
                _ => bytes[place] ^= 1 << self.below(8),
            }
        }
        bytes
    }
}

/// An answer of HTTP/2 to the first stream, with trailers.
fn over_http2() -> Vec<u8> {
    let mut status = vec![0x88];
    status.extend(literals(&[("content-type", "application/grpc"), ("x-a", "some value")]));
    let trailers = literals(&[("grpc-status", "0"), ("grpc-message", "fine")]);
    [
        settings_frame(&[(3, 100), (4, 100_000)]),
        frame(HEADERS, END_HEADERS, 1, &status),
        frame(DATA, 0, 1, b"\0\0\0\0\x05hello"),
        frame(DATA, 0, 1, &[b'x'; 300]),
        frame(HEADERS, END_HEADERS | 1, 1, &trailers),
    ]
    .concat()
}

fn answers() -> [(&'static str, Vec<u8>); 6] {
    let fields = "Content-Type: text/html\r\nSet-Cookie: a=b; path=/\r\nX-Accel-Buffering: no\r\nLocation: /x\r\n";
    let chunked = format!(
        "HTTP/1.1 200 OK\r\n{fields}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nc;x=y\r\nand some more\r\n0\r\nX-T: 1\r\n\r\n"
    );
    let cgi = format!("Status: 201 Made\r\n{fields}Content-Length: 10\r\n\r\n0123456789");
    [
        ("proxy", chunked.into()),
        ("uwsgi", cgi.clone().into()),
        ("scgi", cgi.clone().into()),
        ("fastcgi", (fastcgi::stderr("a note") + &fastcgi::answer(&cgi)).into()),
        ("grpc", over_http2()),
        ("http2", over_http2()),
    ]
}

#[tokio::test]
async fn no_answer_hurts_the_server() {
    if !process::is_ours() {
        return;
    }
    let began = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seed = began.map_or(1, |since| since.as_nanos() as u64);
    let mut server = Tidegate::start(
        "proxy_read_timeout 2s; uwsgi_read_timeout 2s; scgi_read_timeout 2s; fastcgi_read_timeout 2s; grpc_read_timeout 2s;
         proxy_pass_trailers on;
         access_log off;
         server {
             listen 127.0.0.1:8080;
             location /proxy { proxy_pass http://127.0.0.1:8091; }
             location /uwsgi { uwsgi_pass 127.0.0.1:8092; }
             location /scgi { scgi_pass 127.0.0.1:8093; }
             location /fastcgi { fastcgi_pass 127.0.0.1:8094; }
             location /grpc { grpc_pass 127.0.0.1:8095; }
             location /http2 { proxy_http_version 2; proxy_pass http://127.0.0.1:8096; }
         }",
    );
    let answers = answers();
    let mut backends = Vec::new();
    for ((port, (_, answer)), number) in (8091..).zip(&answers).zip(0..) {
        let answer = answer.clone();
        let next = std::sync::atomic::AtomicU64::new(seed.wrapping_add(number * 1_000_000));
        let backend = Backend::raw(move |mut stream: TcpStream| {
            let seed = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let bytes = Chance(seed).mutate(answer.clone());
            async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(&bytes).await;
                // HTTP/2 has more to say before its request is sent.
                let _ = timeout(Duration::from_millis(30), stream.read(&mut request)).await;
            }
        })
        .await;
        server = server.with_port(port, backend.port());
        backends.push(backend);
    }
    let server = server.await;
    let asking = answers.map(|(protocol, _)| {
        let client = server.at(8080);
        tokio::spawn(async move {
            for time in 0..TIMES {
                let text = format!("GET /{protocol} HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close\r\n\r\n");
                let answered = timeout(DEADLINE, client.request(text)).await;
                assert!(answered.is_ok(), "{protocol} hangs, seed {seed}, time {time}");
            }
        })
    });
    for asking in asking {
        asking.await.expect("every request ends");
    }
    let log = server.error_log();
    assert!(!log.contains("panicked") && !log.contains("[alert]"), "seed {seed}: {log}");
    eventually("it answers still", || async { server.get("/none").await.status == 404 }).await;
}
