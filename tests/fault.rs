//! Upstreams that fail: each in every phase, over every protocol; the right status, the right line in
//! the error log, and nothing left open.

pub mod grpc;
mod http2;

use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::backend::fastcgi::{end, stdout};
use crate::harness::{Backend, DEADLINE, Tidegate, eventually, process};

const PROTOCOLS: [&str; 4] = ["proxy", "uwsgi", "fastcgi", "scgi"];

/// An upstream that does what the path of a request says, once it has read so far.
async fn faulty(protocol: &'static str) -> Backend {
    Backend::raw(move |mut stream| async move {
        let mut request = Vec::new();
        while !request.contains(&b'!') {
            if !matches!(stream.read_buf(&mut request).await, Ok(1..)) {
                return;
            }
        }
        let text = String::from_utf8_lossy(&request).into_owned();
        let word = text.split('!').next().and_then(|text| text.rsplit('/').next());
        let word = word.unwrap_or_default();
        let _ = stream.write_all(says(protocol, word).as_bytes()).await;
        match word {
            "cut" => {
                let _ = stream.flush().await;
                tokio::time::sleep(Duration::from_millis(20)).await;
                reset(stream);
            }
            "reset" | "unread-reset" => reset(stream),
            "stall" | "hang" | "unread" => tokio::time::sleep(DEADLINE).await,
            _ => {
                // What is left unread would make a reset of it.
                let _ = stream.shutdown().await;
                while matches!(stream.read_buf(&mut request).await, Ok(1..)) {}
            }
        }
    })
    .await
}

/// What it says.
fn says(protocol: &str, word: &str) -> String {
    let is_fastcgi = protocol == "fastcgi";
    let wrap = |text: &str| if is_fastcgi { stdout(text) } else { text.to_owned() };
    let line = if protocol == "proxy" { "HTTP/1.1 200 OK\r\n" } else { "Status: 200 OK\r\n" };
    let head = |rest: &str| wrap(&format!("{line}{rest}"));
    match word {
        "half" => head("X-A: "),
        "big" => head(&format!("X-A: {}", "x".repeat(9_000))),
        "bad" => head("a\x01b: c\r\n\r\n"),
        "rubbish" => wrap("\x01 nothing of the kind\r\n\r\n"),
        "length" => head("Content-Length: 1x\r\n\r\nx"),
        "both" => head("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx"),
        "chunks" => head("Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n"),
        "kind" => "\x01\x09\0\x01\0\0\0\0".to_owned(),
        "short" | "cut" | "hang" => head("Content-Length: 10\r\n\r\nhalf"),
        "more" if is_fastcgi => head("Content-Length: 4\r\n\r\nfull and more") + &end(0),
        "more" => head("Content-Length: 4\r\n\r\nfull and more"),
        _ => String::new(),
    }
}

fn reset(stream: TcpStream) {
    let stream = Socket::from(stream.into_std().expect("a socket"));
    stream.set_linger(Some(Duration::ZERO)).expect("a socket");
}

/// What is asked for, by which protocols, the status, and a part of the line in the error log.
const FAULTS: [(&str, &[&str], u16, &str); 18] = [
    ("close", &PROTOCOLS, 502, "upstream prematurely closed connection"),
    ("reset", &PROTOCOLS, 502, "recv() failed (104: Connection reset by peer)"),
    ("stall", &PROTOCOLS, 504, "upstream timed out (110: Connection timed out) while reading resp"),
    ("unread", &PROTOCOLS, 504, "upstream timed out (110: Connection timed out) while sending"),
    // A reset that is met while sending may be told as a broken pipe, as the kernel has it.
    ("unread-reset", &PROTOCOLS, 502, "() failed ("),
    ("half", &PROTOCOLS, 502, "upstream prematurely closed connection"),
    ("big", &PROTOCOLS, 502, "upstream sent too big header"),
    ("bad", &PROTOCOLS, 502, "upstream sent invalid header"),
    ("rubbish", &["proxy"], 502, "upstream sent no valid HTTP/1.0 header"),
    ("rubbish", &["uwsgi", "fastcgi", "scgi"], 502, "upstream sent invalid header"),
    (
        "length",
        &PROTOCOLS,
        502,
        "upstream sent invalid \"Content-Length\" header: \"Content-Length: 1x\"",
    ),
    ("both", &PROTOCOLS, 502, "upstream sent \"Content-Length\" and \"Transfer-Encoding\" headers"),
    ("chunks", &["proxy", "uwsgi", "scgi"], 200, "upstream sent invalid chunked response"),
    ("kind", &["fastcgi"], 502, "upstream sent invalid FastCGI record type: 9"),
    ("short", &PROTOCOLS, 200, "upstream prematurely closed"),
    (
        "cut",
        &PROTOCOLS,
        200,
        "recv() failed (104: Connection reset by peer) while reading upstream",
    ),
    ("hang", &PROTOCOLS, 200, "upstream timed out (110: Connection timed out) while reading upstr"),
    ("more", &PROTOCOLS, 200, ""),
];

/// Servers of each protocol, on the ports from 8080 on, in front of upstreams on those from 8090 on.
fn conf() -> String {
    let server = |(place, protocol): (usize, &str)| {
        let (scheme, param) = match protocol {
            "proxy" => ("http://", String::new()),
            _ => ("", format!("{protocol}_param REQUEST_URI $request_uri;")),
        };
        format!(
            "server {{
                listen 127.0.0.1:{listen};
                {param}
                location / {{ {protocol}_pass {scheme}127.0.0.1:{port}; }}
                location /stall {{ {protocol}_read_timeout 200ms; {protocol}_pass {scheme}127.0.0.1:{port}; }}
                location = /unread! {{ {protocol}_send_timeout 200ms; {protocol}_pass {scheme}127.0.0.1:{port}; }}
                # Half of it has to have come by then.
                location /hang {{ {protocol}_read_timeout 2s; {protocol}_pass {scheme}127.0.0.1:{port}; }}
                location /refused {{ {protocol}_pass {scheme}127.0.0.1:8098; }}
            }}\n",
            listen = 8080 + place,
            port = 8090 + place
        )
    };
    let servers = PROTOCOLS.into_iter().enumerate().map(server);
    format!("client_max_body_size 0; {}", servers.collect::<String>())
}

#[tokio::test]
async fn each_fault_has_its_status_and_its_line() {
    let mut start = Tidegate::start(&conf());
    let mut backends = Vec::new();
    for (port, protocol) in (8090..).zip(PROTOCOLS) {
        let backend = faulty(protocol).await;
        start = start.with_port(port, backend.port());
        backends.push(backend);
    }
    let server = start.await;
    let open = || {
        std::fs::read_dir(format!("/proc/{}/fd", process::serving(server.pid()))).unwrap().count()
    };
    server.at(8080).get("/more!").await.is(200);
    let before = open();
    // More than sockets hold.
    let body = "b".repeat(8 << 20);
    for (place, protocol) in PROTOCOLS.into_iter().enumerate() {
        let client = server.at(8080 + place as u16);
        client.get("/refused").await.is(502);
        server.logs("connect() failed (111: Connection refused) while connecting to upstr").await;
        for (word, _, status, words) in FAULTS.iter().filter(|fault| fault.1.contains(&protocol)) {
            let mut connection = client.connect().await;
            let (method, length, body) = if word.starts_with("unread") {
                ("POST", format!("Content-Length: {}\r\n", body.len()), body.as_str())
            } else {
                ("GET", String::new(), "")
            };
            let head = format!("{method} /{word}! HTTP/1.1\r\nHost: a\r\n{length}\r\n");
            connection.send(head + body).await;
            let answer = connection.try_answer("GET").await;
            let seen = format!("{protocol} {word}: {answer:?}\n{}", server.error_log());
            match (*word, status) {
                ("more", _) => assert_eq!(answer.unwrap().text(), "full", "{protocol}"),
                // What was promised does not come, and the connection ends.
                (_, 200) => assert!(answer.is_err_and(|why| why.contains("half")), "{seen}"),
                _ => assert_eq!(answer.expect(&seen).status, *status, "{seen}"),
            }
            let line = |log: &str| {
                let mut lines = log.lines();
                lines.any(|line| line.contains(words) && line.contains(&format!(" /{word}! ")))
            };
            eventually(&format!("{protocol} {word} is told: {words}"), || async {
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
            location /scgi { scgi_connect_timeout 200ms; scgi_pass 127.0.0.1:8090; }
            location /grpc { grpc_connect_timeout 200ms; grpc_pass 127.0.0.1:8090; }
        }",
    )
    .with_port(8090, port)
    .await;
    for path in ["proxy", "uwsgi", "fastcgi", "scgi", "grpc"] {
        let begun = std::time::Instant::now();
        server.get(&format!("/{path}")).await.is(504);
        let took = begun.elapsed();
        assert!(took.as_millis() >= 150, "{path} took {took:?}");
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
pub fn silent() -> (Socket, Vec<Socket>) {
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
    let bound = timed("/").await;
    let mut free = timed("/free").await;
    // One may be held up by what else the machine does.
    for _ in 0..20 {
        free = free.min(timed("/free").await);
    }
    assert!(free < bound && bound >= 0.9, "{free} and {bound}");
}
