//! Request heads: no input ends the server, and no client may take its time.

use std::time::{Duration, Instant};

use crate::harness::{DEADLINE, Tidegate, process};

/// The next of a row of numbers that is the same in every run (xorshift).
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[tokio::test]
async fn no_input_ends_the_server() {
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            client_header_timeout 1s;
            client_body_timeout 1s;
            location / { return 200 ok; }
            location /proxy { proxy_pass http://127.0.0.1:8098; }
        }",
    )
    .await;
    let pid = process::serving(server.pid());
    let good =
        b"POST /proxy/%41?x=y HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nRange: bytes=0-1,2-\r\n\
        Transfer-Encoding: chunked\r\nCookie: a=b\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let mut state = 0x1234_5678_9abc_def1;
    for round in 0..300 {
        let mut bytes = if round % 5 == 0 {
            (0..next(&mut state) % 3_000).map(|_| next(&mut state) as u8).collect()
        } else {
            good.to_vec()
        };
        for _ in 0..next(&mut state) % 6 {
            let at = next(&mut state) as usize % bytes.len().max(1);
            match (next(&mut state) % 3, bytes.get_mut(at)) {
                (0, Some(byte)) => *byte = next(&mut state) as u8,
                (1, Some(_)) => drop(bytes.remove(at)),
                _ => bytes.insert(at.min(bytes.len()), next(&mut state) as u8),
            }
        }
        let mut connection = server.connect().await;
        connection.send(&bytes).await;
        connection.finish().await;
        assert!(connection.closes().await, "still open after {}", bytes.escape_ascii());
    }
    server.get("/").await.is(200).says("ok");
    assert_eq!(process::serving(server.pid()), pid);
    assert!(!server.error_log().contains("panicked"), "{}", server.error_log());
}

#[tokio::test]
async fn a_slow_head_is_given_up() {
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8080; client_header_timeout 1s; location / { return 200 ok; } }",
    )
    .await;
    let start = Instant::now();
    let mut slow = server.connect().await;
    slow.send("GET / HTTP/1.1\r\nHost:").await;
    let mut slower = server.connect().await;
    slower.send("GET /ha").await;
    let mut drip = server.connect().await;
    drip.send("GET / HTTP/1.1\r\n").await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    drip.send("X-Drip: 1\r\n").await;
    assert!(slow.closes().await && drip.closes().await);
    let taken = start.elapsed();
    assert!(taken > Duration::from_millis(900) && taken < DEADLINE / 2, "{taken:?}");
    assert!(slower.closes().await);
    assert_eq!(slow.text() + &slower.text() + &drip.text(), "");
    let log = server.access_log(3).await;
    let told = |line: &str| log.iter().filter(|known| known.contains(line)).count();
    assert_eq!(told("\"GET / HTTP/1.1\" 408 0 "), 2, "{log:?}");
    assert_eq!(told("\"GET /ha\" 408 0 "), 1, "{log:?}");
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            client_header_timeout 3s;
            keepalive_timeout 1s;
            location / { return 200 ok; }
        }",
    )
    .await;
    let mut silent = server.connect().await;
    let mut idle = server.connect().await;
    idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    idle.answer().await.is(200);
    assert!(silent.closes().await && idle.closes().await);
    assert_eq!(server.access_log(1).await.len(), 1);
}

#[tokio::test]
async fn a_head_may_come_in_single_bytes() {
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8080; location / { return 200 \"$uri $http_x_a\"; } }",
    )
    .await;
    let mut connection = server.connect().await;
    for byte in b"GET /a%20b HTTP/1.1\r\nHost: a\r\nX-A: value\r\n\r\n" {
        connection.send([*byte]).await;
        tokio::task::yield_now().await;
    }
    connection.answer().await.is(200).says("/a b value");
}
