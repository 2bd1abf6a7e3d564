//! http2: what a client may make us do for nothing has a bound, in memory and in time.

use std::time::{Duration, Instant};

use crate::harness::http2::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, PRIORITY, RST_STREAM, SETTINGS,
    WINDOW_UPDATE, frame, get, literals, request, settings_frame,
};
use crate::harness::process::children;
use crate::harness::{Http2, Tidegate};

/// ENHANCE_YOUR_CALM
const CALM: u32 = 11;

/// How much more memory the server may take for a flood of up to 320 MB, in bytes; each worker's
/// allocator takes some MB at its first use.
const MEMORY: u64 = 16 << 20;

async fn server() -> Tidegate {
    Tidegate::start(
        "error_log logs/error.log info;
        server { listen 127.0.0.1:8080; http2 on; send_timeout 1s;
            location / { return 200 ok; }
            location /upload { proxy_pass http://127.0.0.1:8090; } }",
    )
    .with_file("large", "x".repeat(1_000_000))
    .await
}

/// The memory that the server's processes hold, and the processor's time they have had.
fn cost(server: &Tidegate) -> (u64, Duration) {
    let first = server.pid();
    let read = |pid: i32, file: &str| {
        std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default()
    };
    let (mut memory, mut busy) = (0, Duration::ZERO);
    for pid in std::iter::once(first).chain(children(first)) {
        // What is of the program's file is not counted: of a debug build that is much.
        let statm = read(pid, "statm");
        let pages: Vec<u64> = statm.split_whitespace().map(|text| text.parse().unwrap()).collect();
        let pages = pages[1] - pages[2];
        let stat = read(pid, "stat");
        let after = stat.rsplit_once(')').unwrap().1;
        let ticks = |place| after.split_whitespace().nth(place).unwrap().parse::<u64>().unwrap();
        memory += pages * 4096;
        busy += Duration::from_millis((ticks(11) + ticks(12)) * 10);
    }
    (memory, busy)
}

/// Sends these bytes again and again; the code of the GOAWAY that ends it, within bounds.
async fn flood(
    server: &Tidegate,
    first: &[u8],
    mut next: impl FnMut(u32) -> Vec<u8>,
) -> Option<u32> {
    let (memory, busy) = cost(server);
    let mut client = Http2::to(server).await;
    client.send(first).await;
    let begin = Instant::now();
    for number in 0..400 {
        // A hundred at once.
        let bytes: Vec<u8> = (0..100).flat_map(|one| next(number * 100 + one)).collect();
        if !client.send(&bytes).await || begin.elapsed() > Duration::from_secs(5) {
            break;
        }
    }
    let code = client.goes_away().await;
    assert!(client.closes().await, "still open after {:?}", begin.elapsed());
    let (memory_after, busy_after) = cost(server);
    let grown = memory_after.saturating_sub(memory);
    assert!(grown < MEMORY, "{grown} bytes more");
    let busy = busy_after.saturating_sub(busy);
    assert!(busy < Duration::from_secs(3), "{busy:?} of the processor");
    // Others are served as before.
    server.http2().await.get("/").await.is(200).says("ok");
    code
}

/// An end by GOAWAY, or one so quick that it was lost.
fn ended(code: Option<u32>, codes: &[u32]) {
    assert!(code.is_none_or(|code| codes.contains(&code)), "{code:?}");
}

#[tokio::test]
async fn frames_that_ask_for_nothing_are_too_many_soon() {
    let server = server().await;
    let floods: [(&str, Vec<u8>); 6] = [
        ("PING", frame(PING, 0, 0, &[0; 8])),
        ("SETTINGS", settings_frame(&[(1, 4096)])),
        ("PRIORITY", frame(PRIORITY, 0, 1001, &[0, 0, 0, 0, 1])),
        ("WINDOW_UPDATE", frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
        ("unknown", frame(0x55, 0, 0, b"")),
        ("SETTINGS", settings_frame(&[(1, 0), (4, 70_000), (1, 4096), (4, 65_535)])),
    ];
    for (name, bytes) in floods {
        let code = flood(&server, b"", |_| bytes.clone()).await;
        ended(code, &[CALM]);
        server.logs(&format!("too many frames that ask for nothing, the last {name}")).await;
    }
}

#[tokio::test]
async fn empty_pieces_of_a_body_are_too_many_soon() {
    let server = server().await;
    let head = frame(HEADERS, END_HEADERS, 1, &literals(&request("POST", "/upload", &[])));
    let code = flood(&server, &head, |_| frame(DATA, 0, 1, b"")).await;
    ended(code, &[CALM]);
}

#[tokio::test]
async fn windows_that_open_by_a_byte_are_too_many_soon() {
    let server = server().await;
    // A window of nothing, and then a byte at a time (CVE-2019-9511).
    let head = frame(HEADERS, END_HEADERS | END_STREAM, 1, &literals(&get("/large", &[])));
    let first = [settings_frame(&[(4, 0)]), head].concat();
    let code = flood(&server, &first, |_| frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1])).await;
    ended(code, &[CALM]);
}

#[tokio::test]
async fn rapid_resets_are_stopped() {
    let server = server().await;
    let block = literals(&get("/", &[]));
    let code = flood(&server, b"", |number| {
        let stream = number * 2 + 1;
        [
            frame(HEADERS, END_HEADERS | END_STREAM, stream, &block),
            frame(RST_STREAM, 0, stream, &8u32.to_be_bytes()),
        ]
        .concat()
    })
    .await;
    ended(code, &[CALM]);
}

#[tokio::test]
async fn resets_that_we_are_made_to_send_are_stopped() {
    let server = server().await;
    let block = literals(&get("/", &[]));
    // What may not stand there (a stream that depends on itself) makes us give the stream up.
    let code = flood(&server, b"", |number| {
        let stream = number * 2 + 1;
        let dependency = [&stream.to_be_bytes()[..], &[16]].concat();
        [
            frame(HEADERS, END_HEADERS | END_STREAM, stream, &block),
            frame(PRIORITY, 0, stream, &dependency),
        ]
        .concat()
    })
    .await;
    ended(code, &[CALM]);
    let bad = literals(&get("/", &[("connection", "close")]));
    let code = flood(&server, b"", |number| {
        frame(HEADERS, END_HEADERS | END_STREAM, number * 2 + 1, &bad)
    })
    .await;
    ended(code, &[CALM]);
}

#[tokio::test]
async fn a_header_block_has_an_end() {
    let server = server().await;
    let block = literals(&get("/", &[]));
    let first = frame(HEADERS, END_STREAM, 1, &block);
    let code = flood(&server, &first, |_| frame(CONTINUATION, 0, 1, b"")).await;
    ended(code, &[CALM, 1]);
    let field = literals(&[("x-a", &"x".repeat(8000))]);
    let code = flood(&server, &first, |_| frame(CONTINUATION, 0, 1, &field)).await;
    ended(code, &[CALM, 1]);
}

#[tokio::test]
async fn a_small_block_does_not_become_a_large_head() {
    let server = server().await;
    // A field of 4000 bytes enters the table, and is named a thousand times by one byte each.
    let mut bomb = literals(&get("/", &[]));
    bomb.extend([0x40, 3, b'x', b'-', b'a', 0x7f, 0x9d, 0x1e]);
    bomb.extend(vec![b'x'; 3996]);
    bomb.extend(vec![0xbe; 8000]);
    let code = flood(&server, b"", |number| {
        frame(HEADERS, END_HEADERS | END_STREAM, number * 2 + 1, &bomb)
    })
    .await;
    ended(code, &[CALM]);
}

#[tokio::test]
async fn clients_that_never_take_their_answers_hold_little_for_a_short_time() {
    let server = server().await;
    let (memory, _) = cost(&server);
    let mut clients = Vec::new();
    for _ in 0..4 {
        let mut client = Http2::with_settings(&server, &[(4, 0)]).await;
        for _ in 0..100 {
            client.head(&get("/large", &[]), END_STREAM).await;
        }
        clients.push(client);
    }
    let grown = cost(&server).0.saturating_sub(memory);
    assert!(grown < MEMORY, "{grown} bytes for 400 answers of a megabyte");
    for client in &mut clients {
        let reset = client.until(RST_STREAM).await;
        assert_eq!(reset.payload, [0, 0, 0, 2]);
    }
    let mut client = Http2::to(&server).await;
    client.frame(SETTINGS, 0, 0, b"").await;
    client.get("/").await.is(200);
}
