//! keepalive, keepalive_requests, keepalive_time, keepalive_timeout of a group.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Backend, Tidegate, backend, eventually};

#[tokio::test]
async fn connections_are_kept_as_long_as_is_said() {
    let closed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&closed);
    let app = Backend::raw(move |mut stream| {
        let count = Arc::clone(&count);
        async move {
            let mut request = [0; 4096];
            while matches!(stream.read(&mut request).await, Ok(1..)) {
                // No connection is younger than this behind its first answer.
                tokio::time::sleep(Duration::from_millis(3)).await;
                let _ = stream.write_all(backend::ok("app").as_bytes()).await;
            }
            count.fetch_add(1, Ordering::Relaxed);
        }
    })
    .await;
    let group =
        |name: &str, words: &str| format!("upstream {name} {{ server 127.0.0.1:8090; {words} }}\n");
    let conf = [
        group("usual", ""),
        group("none", "keepalive 0;"),
        group("twice", "keepalive 4; keepalive_requests 2;"),
        group("young", "keepalive 4; keepalive_time 1ms;"),
        group("short", "keepalive 4; keepalive_timeout 20ms;"),
        "server { listen 127.0.0.1:8080; location / { proxy_pass http://$arg_to; } }".to_owned(),
    ]
    .concat();
    let server = Tidegate::start(&conf).with_port(8090, app.port()).await;
    // One goes without being asked for again, long before the minute that holds where nothing is said.
    server.get("/?to=short").await.is(200);
    let all = || (app.connections(), closed.load(Ordering::Relaxed));
    eventually("it is closed", || async { all() == (1, 1) }).await;
    let mut opened = Vec::new();
    for to in ["usual", "none", "twice", "young"] {
        let (before, mut client) = (app.connections(), server.connect().await);
        for _ in 0..6 {
            client.send(format!("GET /?to={to} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
            client.answer().await.is(200);
        }
        opened.push(app.connections() - before);
    }
    assert!(opened[0] < 6 && opened[1] == 6 && opened[2] >= 3 && opened[3] == 6, "{opened:?}");
}
