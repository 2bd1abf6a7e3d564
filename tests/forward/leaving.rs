//! A client that leaves while an application says nothing is noticed, whatever it has sent meanwhile.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use crate::harness::{Backend, DEADLINE, Tidegate};

/// An application that begins to answer what is not `/silent`, and then says nothing until it may.
struct App {
    backend: Backend,
    /// How many bytes of bodies it has had, and how many requests before.
    had: watch::Receiver<(usize, usize)>,
    go: Arc<Notify>,
    /// Its client has gone.
    left: Arc<Notify>,
}

impl App {
    async fn start() -> Self {
        let (had, seen) = watch::channel((0, 0));
        let (go, left) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (had, going, leaving) = (Arc::new(had), Arc::clone(&go), Arc::clone(&left));
        let backend = Backend::raw(move |mut stream: TcpStream| {
            let (had, go, left) = (Arc::clone(&had), Arc::clone(&going), Arc::clone(&leaving));
            async move {
                let mut request = Vec::new();
                let fields = loop {
                    assert!(stream.read_buf(&mut request).await.unwrap() > 0, "a request");
                    let end = request.windows(4).position(|four| four == b"\r\n\r\n");
                    if let Some(end) = end {
                        break request.drain(..end + 4).collect::<Vec<u8>>();
                    }
                };
                let fields = String::from_utf8(fields).unwrap();
                let begin = "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nand so ";
                let is_silent = fields.contains("silent");
                if !is_silent {
                    stream.write_all(begin.as_bytes()).await.unwrap();
                }
                had.send_modify(|(bytes, requests)| {
                    *requests += 1;
                    *bytes += request.len();
                });
                let mut piece = [0; 4096];
                loop {
                    let read = tokio::select! {
                        () = go.notified() => break,
                        read = stream.read(&mut piece) => read.unwrap_or(0),
                    };
                    if read == 0 {
                        return left.notify_one();
                    }
                    had.send_modify(|(bytes, _)| *bytes += read);
                }
                let rest = format!("{}it ends", if is_silent { begin } else { "" });
                stream.write_all(rest.as_bytes()).await.unwrap();
            }
        });
        Self { backend: backend.await, had: seen, go, left }
    }

    /// Waits until it has had so much since this was asked last.
    async fn has_had(&mut self, wanted: (usize, usize)) {
        let had =
            self.had.wait_for(|(bytes, requests)| *bytes >= wanted.0 && *requests >= wanted.1);
        timeout(DEADLINE, had).await.expect("it gets what is sent").unwrap();
    }

    async fn is_left(&self) {
        timeout(DEADLINE, self.left.notified()).await.expect("its connection ends");
    }

    async fn server(&self) -> Tidegate {
        Tidegate::start(
            "log_format sent '$uri $status';
             access_log logs/access.log sent;
             server {
                 listen 127.0.0.1:8080;
                 location / { proxy_pass http://127.0.0.1:8090; }
                 location /piece_by_piece { proxy_pass http://127.0.0.1:8090; proxy_buffering off; }
                 location /live { proxy_pass http://127.0.0.1:8090; proxy_request_buffering off; }
                 location /live/piece_by_piece {
                     proxy_pass http://127.0.0.1:8090; proxy_request_buffering off; proxy_buffering off;
                 }
                 location /more { access_log off; return 200 more; }
             }",
        )
        .with_port(8090, self.backend.port())
        .await
    }
}

/// So many requests, each with a head of some six kilobytes.
fn more(number: usize) -> String {
    let long = "x".repeat(6000);
    format!("GET /more HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n").repeat(number)
}

#[tokio::test]
async fn a_client_that_has_asked_for_more_and_leaves_is_noticed() {
    let mut app = App::start().await;
    let server = app.server().await;
    let mut lines = Vec::new();
    // Of the requests behind it some fit in a buffer, and others are left to the system.
    for (path, status) in [("/silent", 499), ("/", 200), ("/piece_by_piece", 200)] {
        for number in [1, 7] {
            let mut leaving = server.connect().await;
            let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n{}", more(number));
            leaving.send(request).await;
            if status == 200 {
                leaving.until("and so ").await;
            }
            lines.push(format!("{path} {status}"));
            app.has_had((0, lines.len())).await;
            drop(leaving);
            app.is_left().await;
            assert_eq!(server.access_log(lines.len()).await, lines);
        }
    }
}

#[tokio::test]
async fn a_client_that_has_asked_for_more_and_stays_is_answered() {
    let mut app = App::start().await;
    let server = app.server().await;
    for path in ["/silent", "/"] {
        let mut client = server.connect().await;
        client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n{}", more(3))).await;
        app.has_had((0, 1 + usize::from(path == "/"))).await;
        client.send(more(4)).await;
        app.go.notify_one();
        client.answer().await.is(200).says("and so it ends");
        for _ in 0..7 {
            client.answer().await.is(200).says("more");
        }
    }
}

#[tokio::test]
async fn a_client_whose_body_was_sent_on_and_that_leaves_is_noticed() {
    let mut app = App::start().await;
    let server = app.server().await;
    let paths = [("/live/silent", 499), ("/live", 200), ("/live/piece_by_piece", 200)];
    for (number, (path, status)) in paths.into_iter().enumerate() {
        let mut leaving = server.connect().await;
        let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
        leaving.send(head + "one").await;
        app.has_had((number * 10 + 3, number + 1)).await;
        if status == 200 {
            leaving.until("and so ").await;
        }
        leaving.send(", two..").await;
        app.has_had((number * 10 + 10, number + 1)).await;
        drop(leaving);
        app.is_left().await;
        assert_eq!(server.access_log(number + 1).await[number], format!("{path} {status}"));
    }
}
