//! uwsgi_pass: sockets, params that need not be there, and packets that are too large.

use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::unbounded_channel;

use crate::harness::{Backend, DEADLINE, Tidegate, process};

#[tokio::test]
async fn unix_sockets_have_two_spellings() {
    let server = Tidegate::start(
        "upstream app { server unix:app.sock; }
         server {
            listen 127.0.0.1:8080;
            uwsgi_param PATH_INFO $document_uri;
            location /one { uwsgi_pass unix:app.sock; }
            location /two { uwsgi_pass app; }
        }",
    )
    .await;
    let socket = server.folder().join("app.sock");
    let backend = Backend::uwsgi_at(&socket, |packet| {
        let path = packet.lines().find_map(|line| line.strip_prefix("PATH_INFO="));
        format!("HTTP/1.1 200 OK\r\n\r\n{}", path.unwrap_or_default())
    });
    server.get("/one").await.is(200).says("/one");
    server.get("/two").await.is(200).says("/two");
    drop(backend);
}

#[tokio::test]
async fn a_unix_socket_may_have_three_slashes() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let socket = folder.path().join("app.sock");
    let backend = Backend::uwsgi_at(&socket, |_| "HTTP/1.1 200 OK\r\n\r\nhello".to_owned());
    let server = Tidegate::start(&format!(
        "upstream app {{ server unix://{0}; }}
         server {{
             listen 127.0.0.1:8080;
             location /one {{ uwsgi_pass unix://{0}; }}
             location /two {{ uwsgi_pass app; }}
             location /three {{ uwsgi_pass uwsgi://unix:{0}; }}
         }}",
        socket.display()
    ))
    .await;
    for path in ["/one", "/two", "/three"] {
        server.get(path).await.is(200).says("hello");
    }
    drop(backend);
}

/// How many closed connections to a port the kernel remembers.
fn remembered(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the kernel's table");
    let states = table.lines().filter_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, state) = (fields.next()?, fields.nth(1)?);
        local.ends_with(&format!(":{port:04X}")).then(|| state.to_owned())
    });
    states.filter(|state| state == "06").count()
}

#[tokio::test]
async fn connections_that_the_application_has_closed_are_not_remembered() {
    let app = Backend::uwsgi(|_| "HTTP/1.1 200 OK\r\n\r\nhello".to_owned()).await;
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8080; location / { uwsgi_pass 127.0.0.1:8090; } }",
    )
    .with_port(8090, app.port())
    .await;
    // Others may have used the port before.
    let before = remembered(app.port());
    for _ in 0..20 {
        server.get("/").await.is(200).says("hello");
    }
    assert_eq!(app.connections(), 20);
    assert!(remembered(app.port()) <= before, "{} of 20", remembered(app.port()) - before);
}

/// Reads what stands before the body of a request over uwsgi or SCGI, and nothing behind it.
async fn read_head(stream: &mut TcpStream) {
    let first = stream.read_u8().await.unwrap();
    let size = if first == 0 {
        let size = stream.read_u16_le().await.unwrap();
        stream.read_u8().await.unwrap();
        size
    } else {
        let mut digits = String::from(char::from(first));
        loop {
            match char::from(stream.read_u8().await.unwrap()) {
                // A comma stands behind it.
                ':' => break digits.parse::<u16>().unwrap() + 1,
                digit => digits.push(digit),
            }
        }
    };
    stream.read_exact(&mut vec![0; size.into()]).await.unwrap();
}

/// Waits for the other end to close its side, and reads nothing.
async fn is_closed(stream: TcpStream) -> TcpStream {
    let stream = stream.into_std().unwrap();
    let waits = tokio::task::spawn_blocking(move || {
        let mut asked = [PollFd::from_borrowed_fd(stream.as_fd(), PollFlags::RDHUP)];
        let most = Timespec { tv_sec: DEADLINE.as_secs().cast_signed(), tv_nsec: 0 };
        assert_eq!(poll(&mut asked, Some(&most)), Ok(1), "the connection ends");
        stream
    });
    TcpStream::from_std(waits.await.unwrap()).unwrap()
}

#[tokio::test]
async fn an_application_that_has_closed_one_side_can_read_its_body_all_the_same() {
    let (read, mut reads) = unbounded_channel();
    let app = Backend::raw(move |mut stream: TcpStream| {
        let read = read.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhello").await.unwrap();
            stream.shutdown().await.unwrap();
            let mut body = String::new();
            let end = is_closed(stream).await.read_to_string(&mut body).await;
            read.send((body, end.map_err(|error| error.kind()))).unwrap();
        }
    })
    .await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            location /uwsgi { uwsgi_pass 127.0.0.1:8090; }
            location /scgi { scgi_pass 127.0.0.1:8090; }
        }",
    )
    .with_port(8090, app.port())
    .await;
    for path in ["/uwsgi", "/scgi"] {
        let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
        let mut client = server.connect().await;
        client.send(head + "what body").await;
        client.answer().await.is(200).says("hello");
        let read = tokio::time::timeout(DEADLINE, reads.recv()).await.expect("it reads").unwrap();
        assert_eq!(read, ("what body".to_owned(), Ok(9)), "{path}");
    }
}

#[tokio::test]
async fn params_are_built_in() {
    if !process::is_ours() {
        return;
    }
    let backend = Backend::uwsgi(|packet| format!("HTTP/1.1 200 OK\r\n\r\n{packet}")).await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            location / { include uwsgi_params; uwsgi_pass 127.0.0.1:8090; }
            location /etc { include /etc/nosuch/uwsgi_params; uwsgi_pass 127.0.0.1:8090; }
        }",
    )
    .with_port(8090, backend.port())
    .await;
    for path in ["/", "/etc"] {
        let answer = server.get(&format!("{path}?a=b")).await;
        answer.is(200).mentions("QUERY_STRING=a=b\n").mentions("REQUEST_METHOD=GET\n");
        answer.mentions(&format!("PATH_INFO={path}\n")).mentions("HTTP_HOST=localhost\n");
    }
}

#[tokio::test]
async fn a_packet_that_is_too_large_is_not_sent() {
    let backend = Backend::uwsgi(|_| "HTTP/1.1 200 OK\r\n\r\nhello".to_owned()).await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            large_client_header_buffers 20 32k;
            location / { uwsgi_pass 127.0.0.1:8090; }
        }",
    )
    .with_port(8090, backend.port())
    .await;
    let long = "x".repeat(30_000);
    server.ask(&format!("/ | X-A: {long} | X-B: {long}")).await.is(200).says("hello");
    backend.received();
    server.ask(&format!("/ | X-A: {long} | X-B: {long} | X-C: {long}")).await.is(500);
    assert!(backend.received().is_empty());
}

#[tokio::test]
async fn uwsgi_next_upstream_names_the_answers_that_another_is_asked_after() {
    let busy = Backend::uwsgi(|_| "HTTP/1.1 503 Busy\r\n\r\nbusy".to_owned()).await;
    let free = Backend::uwsgi(|_| "HTTP/1.1 200 OK\r\n\r\nfree".to_owned()).await;
    let server = Tidegate::start(
        "upstream app { server 127.0.0.1:8090 max_fails=0; server 127.0.0.1:8091 backup; }
         server {
            listen 127.0.0.1:8080;
            location /on { uwsgi_next_upstream http_503; uwsgi_pass app; }
            location /off { uwsgi_next_upstream error; uwsgi_pass app; }
         }",
    )
    .with_port(8090, busy.port())
    .with_port(8091, free.port())
    .await;
    server.get("/on").await.is(200).says("free");
    server.get("/off").await.is(503).says("busy");
}
