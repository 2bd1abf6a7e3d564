//! The same over HTTP/2, as gRPC has it: what goes wrong in frames.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::reset;
use crate::harness::{Backend, Tidegate, eventually};

/// A frame of a stream, or of none.
pub fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = (payload.len() as u32).to_be_bytes();
    [&length[..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `:status: 200`, and a `content-length` of 10.
const OK: &[u8] = b"\x88\x0f\x0d\x0210";

/// What is done after the request has come, and what then.
struct Fault {
    says: Vec<u8>,
    then: Then,
    status: u16,
    words: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
enum Then {
    Closes,
    Resets,
    Stalls,
}

const LATE: &str = "upstream timed out (110: Connection timed out) while reading ";

fn faults() -> Vec<Fault> {
    use Then::{Closes, Resets, Stalls};
    let head = frame(HEADERS, END_HEADERS, 1, OK);
    let half = [head.clone(), frame(DATA, 0, 1, b"half")].concat();
    let and = |last: &[u8]| [&half[..], last].concat();
    let fault = |says: &[u8], then, status, words| {
        let says = [frame(SETTINGS, 0, 0, b""), says.to_vec()].concat();
        Fault { says, then, status, words }
    };
    vec![
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
    while request.len() < 24 || !request[24..].windows(6).any(is_head) {
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
            location / { grpc_read_timeout 200ms; grpc_pass 127.0.0.1:8090; }
        }",
    )
    .with_port(8090, backend.port())
    .await;
    let open = || std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap().count();
    let _ = server.get("/").await;
    let before = open();
    for (number, fault) in faults().into_iter().enumerate() {
        next.store(number, Ordering::Relaxed);
        let logged = server.error_log().len();
        let mut connection = server.connect().await;
        connection.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let answer = connection.try_answer("GET").await;
        let seen = format!("{number}: {answer:?}\n{}", &server.error_log()[logged..]);
        match fault.status {
            200 => assert!(answer.is_err_and(|why| why.contains("half")), "{seen}"),
            status => assert_eq!(answer.expect(&seen).status, status, "{seen}"),
        }
        eventually(&format!("{number} is told: {}", fault.words), || async {
            server.error_log()[logged..].contains(fault.words)
        })
        .await;
    }
    eventually("nothing is left open", || async { open() <= before }).await;
}
