//! Upstreams that fail: each in every phase, over every protocol; the right status, the right line in
//! the error log, and nothing left open.

use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::backend::fastcgi::{end, stdout};
use crate::harness::{Backend, Tidegate, eventually};

const PROTOCOLS: [&str; 4] = ["proxy", "uwsgi", "fastcgi", "scgi"];

/// An upstream that does what the path of a request says.
async fn faulty(protocol: &'static str) -> Backend {
    Backend::raw(move |mut stream| async move {
        let mut request = Vec::new();
        let said =
            |request: &[u8], word: &str| request.windows(word.len()).any(|w| w == word.as_bytes());
        while !said(&request, "!") {
            if !matches!(stream.read_buf(&mut request).await, Ok(1..)) {
                return;
            }
        }
        let wrap = |text: &str| if protocol == "fastcgi" { stdout(text) } else { text.to_owned() };
        let line = if protocol == "proxy" { "HTTP/1.1 200 OK\r\n" } else { "Status: 200 OK\r\n" };
        let length = wrap(&format!("{line}Content-Length: 10\r\n\r\nhalf"));
        if said(&request, "/close!") {
        } else if said(&request, "/reset!") {
            reset(stream);
        } else if said(&request, "/stall!") {
            tokio::time::sleep(Duration::from_secs(5)).await;
        } else if said(&request, "/half!") {
            let _ = stream.write_all(wrap(&format!("{line}X-A: ")).as_bytes()).await;
        } else if said(&request, "/big!") {
            let _ = stream
                .write_all(wrap(&format!("{line}X-A: {}", "x".repeat(9_000))).as_bytes())
                .await;
        } else if said(&request, "/bad!") {
            let _ = stream.write_all(wrap(&format!("{line}a\x01b: c\r\n\r\n")).as_bytes()).await;
        } else if said(&request, "/short!") {
            let _ = stream.write_all(length.as_bytes()).await;
        } else if said(&request, "/cut!") {
            let _ = stream.write_all(length.as_bytes()).await;
            let _ = stream.flush().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
            reset(stream);
        } else if said(&request, "/hang!") {
            let _ = stream.write_all(length.as_bytes()).await;
            tokio::time::sleep(Duration::from_secs(5)).await;
        } else if said(&request, "/more!") {
            let more = wrap(&format!("{line}Content-Length: 4\r\n\r\nfull and more"));
            let last = if protocol == "fastcgi" { end(0) } else { String::new() };
            let _ = stream.write_all((more + &last).as_bytes()).await;
        }
    })
    .await
}

fn reset(stream: TcpStream) {
    let stream = Socket::from(stream.into_std().expect("a socket"));
    stream.set_linger(Some(Duration::ZERO)).expect("a socket");
}

/// What is sent, the status, and a part of the line in the error log.
const FAULTS: [(&str, u16, &str); 10] = [
    ("/close!", 502, "upstream prematurely closed connection"),
    ("/reset!", 502, "recv() failed (104: Connection reset by peer)"),
    ("/stall!", 504, "upstream timed out (110: Connection timed out)"),
    ("/half!", 502, "upstream prematurely closed connection"),
    ("/big!", 502, "upstream sent too big header"),
    ("/bad!", 502, "upstream sent invalid header"),
    ("/short!", 200, "upstream prematurely closed connection"),
    ("/cut!", 200, "recv() failed (104: Connection reset by peer)"),
    ("/hang!", 200, "upstream timed out (110: Connection timed out)"),
    ("/more!", 200, ""),
];

#[tokio::test]
async fn each_fault_has_its_status_and_its_line() {
    let (mut conf, mut backends) = (String::new(), Vec::new());
    for (place, protocol) in PROTOCOLS.into_iter().enumerate() {
        let port = 8090 + place as u16;
        let scheme = if protocol == "proxy" { "http://" } else { "" };
        conf += &format!(
            "server {{
                listen 127.0.0.1:{listen};
                location / {{
                    {protocol}_read_timeout 200ms;
                    {param}
                    {protocol}_pass {scheme}127.0.0.1:{port};
                }}
            }}\n",
            listen = 8080 + place,
            param = if protocol == "proxy" {
                String::new()
            } else {
                format!("{protocol}_param REQUEST_URI $request_uri;")
            },
        );
        backends.push((port, faulty(protocol).await));
    }
    let start = Tidegate::start(&conf);
    let start = backends.iter().fold(start, |start, (port, b)| start.with_port(*port, b.port()));
    let server = start.await;
    let open = || std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap().count();
    server.at(8080).get("/more!").await.is(200);
    let before = open();
    for (place, protocol) in PROTOCOLS.into_iter().enumerate() {
        for (path, status, words) in FAULTS {
            let mut connection = server.at(8080 + place as u16).connect().await;
            connection.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
            let answer = connection.try_answer("GET").await;
            let seen = format!("{protocol} {path}: {answer:?}\n{}", server.error_log());
            match (path, status) {
                ("/more!", _) => assert_eq!(answer.unwrap().text(), "full", "{protocol}"),
                // What was promised does not come, and the connection ends.
                (_, 200) => assert!(answer.is_err_and(|why| why.contains("half")), "{seen}"),
                _ => assert_eq!(answer.expect("an answer").status, status, "{seen}"),
            }
            let line = |log: &str| {
                log.lines()
                    .any(|line| line.contains(words) && line.contains(&format!("GET {path}")))
            };
            eventually(&format!("{protocol} {path} is told"), || async {
                words.is_empty() || line(&server.error_log())
            })
            .await;
            drop(connection);
        }
    }
    eventually("nothing is left open", || async { open() <= before }).await;
}

#[tokio::test]
async fn an_address_that_never_answers_is_given_up() {
    let (listener, _held) = silent();
    let port = listener.local_addr().unwrap().as_socket().unwrap().port();
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            location /proxy { proxy_connect_timeout 200ms; proxy_pass http://127.0.0.1:8090; }
            location /uwsgi { uwsgi_connect_timeout 200ms; uwsgi_pass 127.0.0.1:8090; }
            location /fastcgi { fastcgi_connect_timeout 200ms; fastcgi_pass 127.0.0.1:8090; }
        }",
    )
    .with_port(8090, port)
    .await;
    for path in ["proxy", "uwsgi", "fastcgi"] {
        let begun = std::time::Instant::now();
        server.get(&format!("/{path}")).await.is(504);
        let took = begun.elapsed();
        assert!((150..3_000).contains(&took.as_millis()), "{path} took {took:?}");
        let scheme = if path == "proxy" { "http" } else { path };
        let log = server.error_log();
        let told = log.lines().any(|line| {
            line.contains("[error]")
                && line.contains(
                    "upstream timed out (110: Connection timed out) while connecting to upstream",
                )
                && line.contains(&format!("upstream: \"{scheme}://"))
        });
        assert!(told, "{log}");
    }
}

/// A socket that listens, and whose queue of connections is full.
fn silent() -> (Socket, Vec<Socket>) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let held = (0..4).map(|_| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        let _ = socket.connect(&address);
        socket
    });
    let held = held.collect();
    std::thread::sleep(Duration::from_millis(50));
    (listener, held)
}

#[tokio::test]
async fn a_bounded_answer_takes_its_time() {
    let body = "0123456789".repeat(15_000);
    let backend = Backend::http(move |_| crate::harness::backend::ok(&body)).await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            location / { proxy_limit_rate 100k; proxy_pass http://127.0.0.1:8090; }
            location /free { proxy_limit_rate $arg_none; proxy_pass http://127.0.0.1:8090; }
        }",
    )
    .with_port(8090, backend.port())
    .await;
    let timed = async |path: &str| {
        let begun = std::time::Instant::now();
        assert_eq!(server.get(path).await.is(200).body.len(), 150_000);
        begun.elapsed().as_secs_f32()
    };
    let (free, bound) = (timed("/free").await, timed("/").await);
    assert!(free < 0.9 && (0.9..3.0).contains(&bound), "{free} and {bound}");
}
