//! What RFC 9113 and RFC 7541 ask of a server, case by case, as h2spec asks it.

use crate::harness::http2::*;
use crate::harness::{Http2, Tidegate};

pub const NO_ERROR: u32 = 0;
pub const PROTOCOL_ERROR: u32 = 1;
pub const FLOW_CONTROL_ERROR: u32 = 3;
pub const STREAM_CLOSED: u32 = 5;
pub const FRAME_SIZE_ERROR: u32 = 6;
pub const COMPRESSION_ERROR: u32 = 9;

/// What is expected of a server.
#[derive(Clone, Copy, Debug)]
pub enum Expect {
    /// The stream is answered.
    Answer,
    /// The connection is given up (GOAWAY with one of these codes, or its end).
    Connection(&'static [u32]),
    /// The stream is given up with one of these codes, or the connection with it; or the request
    /// is answered by 400, where it is one.
    Stream(&'static [u32]),
    /// PING is answered: nothing has happened.
    Alive,
}

pub use Expect::{Alive, Answer, Connection, Stream};

pub async fn server() -> Tidegate {
    Tidegate::start("server { listen 127.0.0.1:8080; http2 on; location / { return 200 ok; } }")
        .with_file("f", "x")
        .await
}

pub fn simple() -> Vec<u8> {
    literals(&get("/", &[]))
}

/// HEADERS of a GET that is complete.
pub fn whole(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &simple())
}

/// HEADERS of a POST whose body follows.
pub fn open(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &literals(&request("POST", "/", &[])))
}

/// HEADERS with these fields behind those of a GET.
pub fn with(fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, 1, &literals(&get("/", fields)))
}

/// HEADERS with these fields alone.
pub fn only(fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, 1, &literals(fields))
}

pub fn with_block(extra: &[u8]) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, 1, &[&simple()[..], extra].concat())
}

/// Sends bytes behind the settings, and says what is wrong with what comes back.
async fn judge(server: &Tidegate, name: &str, bytes: &[u8], expect: Expect) -> Option<String> {
    let mut client = Http2::to(server).await;
    // The settings are agreed on before, as by a client that is in its midst.
    client.until(SETTINGS).await;
    client.send(bytes).await;
    let alive = frame(PING, 0, 0, b"are you?");
    client.send(&alive).await;
    let mut seen = Vec::new();
    let mut status = None;
    loop {
        let Some(frame) = client.next().await else {
            seen.push("end".to_owned());
            let good = matches!(expect, Connection(_) | Stream(_));
            return (!good).then(|| format!("{name}: {expect:?}, but {seen:?}"));
        };
        let good = match (frame.kind, expect) {
            (HEADERS, _) => {
                let field = frame.fields.iter().find(|(name, _)| name == ":status");
                status = field.map(|(_, value)| value.clone());
                seen.push(format!("{status:?}"));
                if matches!(expect, Stream(_)) && status.as_deref() == Some("400") {
                    return None;
                }
                frame.flags & END_STREAM != 0 && matches!(expect, Answer)
            }
            (DATA, Answer) => frame.flags & END_STREAM != 0 && status.as_deref() == Some("200"),
            (RST_STREAM, Stream(codes)) => {
                let code = crate::harness::http2::code(&frame.payload);
                seen.push(format!("reset {code}"));
                codes.contains(&code)
            }
            (GOAWAY, Connection(codes) | Stream(codes)) => {
                let code = crate::harness::http2::code(&frame.payload[4..]);
                seen.push(format!("goaway {code}"));
                codes.contains(&code)
            }
            (PING, Alive) => frame.flags & ACK != 0 && frame.payload == b"are you?",
            (PING, _) => {
                seen.push("ping".to_owned());
                // What was sent before has been judged by now, save answers that are on their way.
                if matches!(expect, Connection(_)) {
                    return Some(format!("{name}: {expect:?}, but {seen:?}"));
                }
                false
            }
            (kind, _) => {
                seen.push(format!("kind {kind}"));
                false
            }
        };
        if good {
            return None;
        }
    }
}

pub async fn judge_all(cases: &[(&str, Vec<u8>, Expect)]) {
    let server = server().await;
    let mut wrong = Vec::new();
    for (name, bytes, expect) in cases {
        wrong.extend(judge(&server, name, bytes, *expect).await);
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[tokio::test]
async fn connections_begin_as_they_should() {
    let server = server().await;
    for bytes in [
        [&b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"[..], &settings_frame(&[])].concat(),
        [PREFACE, &frame(PING, 0, 1, &[0; 8])].concat(),
        b"INVALID CONNECTION PREFACE\r\n\r\n".to_vec(),
    ] {
        let mut client = Http2::bare(&server).await;
        client.send(&bytes).await;
        let mut answer = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(client.socket(), &mut answer)
            .await
            .unwrap_or_default();
    }
    // Our settings come first, and those of the client are acknowledged.
    let mut client = Http2::to(&server).await;
    assert_eq!(client.next().await.map(|frame| (frame.kind, frame.flags)), Some((SETTINGS, 0)));
    let acknowledged = loop {
        let frame = client.next().await.expect("a frame");
        if frame.kind == SETTINGS {
            break frame.flags;
        }
    };
    assert_eq!(acknowledged, ACK);
}

#[tokio::test]
async fn a_broken_connection_is_told_of_and_closed() {
    let server = server().await;
    let mut client = Http2::to(&server).await;
    client.get("/").await.is(200);
    client.frame(PING, 0, 0, &[0; 6]).await;
    let away = client.until(GOAWAY).await.payload;
    // The last stream that was taken, and why nothing more is (RFC 9113, section 5.4.1).
    assert_eq!(code(&away), 1);
    assert!(matches!(code(&away[4..]), PROTOCOL_ERROR | FRAME_SIZE_ERROR), "{away:?}");
    assert!(client.closes().await);
}

#[tokio::test]
async fn more_streams_than_were_agreed_on_are_refused() {
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8080; http2 on; http2_max_concurrent_streams 2; send_timeout 5s;
            location / { return 200 ok; } }",
    )
    .with_file("large", "x".repeat(100_000))
    .await;
    let mut client = Http2::to(&server).await;
    client.until(SETTINGS).await;
    let bytes: Vec<u8> = [1, 3, 5, 7].into_iter().flat_map(open).collect();
    client.send(&bytes).await;
    let code = loop {
        let frame = client.next().await.expect("a word about the third");
        match frame.kind {
            RST_STREAM => break crate::harness::http2::code(&frame.payload),
            GOAWAY => break crate::harness::http2::code(&frame.payload[4..]),
            _ => {}
        }
    };
    assert!(matches!(code, 0 | 1 | 7), "{code}");
}
