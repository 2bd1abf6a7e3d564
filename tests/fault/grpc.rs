//! The same over HTTP/2, as gRPC and `proxy_http_version 2` have it: what goes wrong in frames.

use std::iter::repeat;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::reset;
use crate::harness::{Backend, Tidegate, eventually, http2, process};

/// A frame of a stream, or of none.
pub fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = (payload.len() as u32).to_be_bytes();
    [&length[..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const GOAWAY: u8 = 7;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// `:status: 200`, and a `content-length` of 10.
const OK: &[u8] = b"\x88\x0f\x0d\x0210";

/// How much of a request is read, what is done then, and what behind it.
struct Fault {
    after: After,
    says: Vec<u8>,
    then: Then,
    status: u16,
    words: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
enum After {
    Opening,
    Head,
}

#[derive(Clone, Copy, PartialEq)]
enum Then {
    Closes,
    Resets,
    Stalls,
}

const LATE: &str = "upstream timed out (110: Connection timed out) while reading ";

/// A head of so many bytes, in as many frames as it takes.
fn big(length: usize) -> Vec<u8> {
    let value = "x".repeat(length);
    http2::blocks(1, 0, &[&[0x88][..], &http2::literals(&[("x-a", &value)])].concat())
}

fn faults() -> Vec<Fault> {
    use Then::{Closes, Resets, Stalls};
    let head = frame(HEADERS, END_HEADERS, 1, OK);
    let half = [head.clone(), frame(DATA, 0, 1, b"half")].concat();
    let and = |last: &[u8]| [&half[..], last].concat();
    let fault = |says: &[u8], then, status, words| {
        let says = [frame(SETTINGS, 0, 0, b""), says.to_vec()].concat();
        Fault { after: After::Head, says, then, status, words }
    };
    let opening = |says: &[u8], then, status, words| Fault {
        after: After::Opening,
        says: says.to_vec(),
        then,
        status,
        words,
    };
    let leaves = |last: u8| frame(GOAWAY, 0, 0, &[0, 0, 0, last, 0, 0, 0, 0]);
    vec![
        opening(b"", Closes, 502, "upstream prematurely closed connection while reading response"),
        opening(b"", Resets, 502, "upstream"),
        opening(b"", Stalls, 504, LATE),
        opening(
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            Closes,
            502,
            "(does it speak HTTP/2 on this port?",
        ),
        fault(
            &big(5000),
            Stalls,
            502,
            "upstream sent too big header while reading response header from upstream (its header does not fit into ",
        ),
        fault(
            &big(100_000),
            Stalls,
            502,
            "(its header breaks the rules of HTTP/2, or is far longer than ",
        ),
        fault(&big(1_000_000), Stalls, 502, "upstream sent too big header"),
        fault(&leaves(0), Closes, 502, "upstream sent goaway with error 0"),
        fault(&leaves(1), Closes, 502, "upstream"),
        fault(
            &[head.clone(), leaves(1), frame(DATA, 0, 1, b"half")].concat(),
            Closes,
            200,
            "while reading upstream",
        ),
        fault(
            &frame(RST_STREAM, 0, 1, &[0, 0, 0, 7]),
            Stalls,
            502,
            "upstream rejected request with error 7 while reading response header from upstream (it has not looked at the request",
        ),
        fault(b"", Closes, 502, "upstream prematurely closed connection"),
        fault(b"", Resets, 502, "upstream"),
        fault(b"", Stalls, 504, LATE),
        fault(&head[..11], Closes, 502, "upstream"),
        fault(&head[..11], Stalls, 504, LATE),
        fault(&frame(HEADERS, END_HEADERS, 1, &[0xff; 9]), Stalls, 502, "upstream"),
        fault(&frame(DATA, END_STREAM, 1, b"no head"), Stalls, 502, "upstream"),
        fault(&frame(RST_STREAM, 0, 1, &[0, 0, 0, 2]), Stalls, 502, "upstream"),
        fault(&frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 2]), Closes, 502, "upstream"),
        fault(&frame(0x20, 0, 1, &[0; 40_000]), Stalls, 502, "upstream"),
        fault(&half, Closes, 200, "while reading upstream"),
        fault(&half, Resets, 200, "while reading upstream"),
        fault(&half, Stalls, 200, LATE),
        fault(&and(&frame(DATA, END_STREAM, 1, b"")), Stalls, 200, "while reading upstream"),
        fault(&and(&frame(RST_STREAM, 0, 1, &[0, 0, 0, 2])), Stalls, 200, "while reading upstream"),
        fault(&and(&frame(DATA, 0, 1, b" and more than it said")), Stalls, 200, "reading upstream"),
    ]
}

/// Reads a request up to its frame of headers, and does what this fault is.
async fn fail(mut stream: TcpStream, number: usize) {
    let Some(fault) = faults().into_iter().nth(number) else { return };
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    let is_head = |frame: &[u8]| matches!(frame, [1, _, 0, 0, 0, 1]);
    let is_enough = |request: &[u8]| {
        request.len() >= 24
            && (fault.after == After::Opening || request[24..].windows(6).any(is_head))
    };
    while !is_enough(&request) {
        match stream.read(&mut buffer).await {
            Ok(length @ 1..) => request.extend_from_slice(&buffer[..length]),
            _ => return,
        }
    }
    let _ = stream.write_all(&fault.says).await;
    match fault.then {
        Then::Closes => {
            let _ = stream.shutdown().await;
        }
        Then::Resets => {
            tokio::time::sleep(Duration::from_millis(20)).await;
            return reset(stream);
        }
        Then::Stalls => {}
    }
    while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
}

#[tokio::test]
async fn each_fault_of_frames_has_its_status_and_its_line() {
    let next = Arc::new(AtomicUsize::new(0));
    let told = Arc::clone(&next);
    let backend = Backend::raw(move |stream| fail(stream, told.load(Ordering::Relaxed))).await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            proxy_http_version 2;
            location / { grpc_pass 127.0.0.1:8090; }
            location /x/late { grpc_read_timeout 200ms; grpc_pass 127.0.0.1:8090; }
            location /http2 { proxy_pass http://127.0.0.1:8090; }
            location /http2/late { proxy_read_timeout 200ms; proxy_pass http://127.0.0.1:8090; }
            # Half of it has to have come by then.
            location /x/half { grpc_read_timeout 2s; grpc_pass 127.0.0.1:8090; }
            location /http2/half { proxy_read_timeout 2s; proxy_pass http://127.0.0.1:8090; }
            location /refused { proxy_pass http://127.0.0.1:8098; }
        }",
    )
    .with_port(8090, backend.port())
    .await;
    let open = || {
        std::fs::read_dir(format!("/proc/{}/fd", process::serving(server.pid()))).unwrap().count()
    };
    let _ = server.get("/x/late").await;
    let before = open();
    server.get("/refused").await.is(502);
    server.logs("connect() failed (111: Connection refused) while connecting to upstream").await;
    let all = || faults().into_iter().enumerate();
    for ((number, fault), path) in all().zip(repeat("/x")).chain(all().zip(repeat("/http2"))) {
        let path = match (fault.words, fault.status) {
            (LATE, 200) => format!("{path}/half"),
            (LATE, _) => format!("{path}/late"),
            _ => path.to_owned(),
        };
        next.store(number, Ordering::Relaxed);
        let logged = server.error_log().len();
        let mut connection = server.connect().await;
        connection.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        let answer = connection.try_answer("GET").await;
        let seen = format!("{path} {number}: {answer:?}\n{}", &server.error_log()[logged..]);
        match fault.status {
            200 => assert!(answer.is_err_and(|why| why.contains("half")), "{seen}"),
            status => assert_eq!(answer.expect(&seen).status, status, "{seen}"),
        }
        eventually(&format!("{path} {number} is told: {}", fault.words), || async {
            server.error_log()[logged..].contains(fault.words)
        })
        .await;
    }
    eventually("nothing is left open", || async { open() <= before }).await;
}
