//! Signals, the pid file, and `-s`.

mod amid;

use std::sync::Arc;

use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

use crate::harness::{Backend, DEADLINE, Tidegate, eventually, process};

const CONF: &str = "server { listen 127.0.0.1:8080; location / { return 200 ok; } }";

/// A server that has answered once, and so listens to signals, too.
async fn started() -> Tidegate {
    let server = Tidegate::start(CONF).await;
    server.get("/").await.is(200);
    server
}

#[tokio::test]
async fn term_and_int_stop_at_once() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = started().await;
        let mut idle = server.connect().await;
        idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        idle.answer().await.is(200);
        server.signal(signal);
        server.ends().await;
        assert!(!server.is_open().await);
        assert!(idle.closes().await);
    }
}

/// A backend that answers when it may; when it was asked, and when it may.
async fn waits() -> (Backend, Arc<Notify>, Arc<Notify>) {
    let (asked, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (was_asked, may_go_on) = (asked.clone(), go_on.clone());
    let backend = Backend::raw(move |mut stream| {
        let (asked, go_on) = (asked.clone(), go_on.clone());
        async move {
            let mut buffer = [0; 1024];
            let _ = stream.read(&mut buffer).await;
            asked.notify_one();
            go_on.notified().await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate").await;
        }
    });
    (backend.await, was_asked, may_go_on)
}

#[tokio::test]
async fn quit_lets_requests_finish() {
    let (backend, was_asked, may_go_on) = waits().await;
    let conf = "server { listen 127.0.0.1:8080; location / { proxy_pass http://127.0.0.1:8090; } }";
    let mut server = Tidegate::start(conf).with_port(8090, backend.port()).await;
    let mut slow = server.connect().await;
    slow.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    tokio::time::timeout(DEADLINE, was_asked.notified()).await.expect("the backend is asked");
    server.signal(Signal::QUIT);
    eventually("nobody is let in", || async { !server.is_open().await }).await;
    may_go_on.notify_one();
    slow.answer().await.is(200).says("late");
    server.ends().await;
}

#[tokio::test]
async fn quit_waits_no_longer_than_told() {
    let asked = Arc::new(Notify::new());
    let was_asked = asked.clone();
    let backend = Backend::raw(move |mut stream| {
        let asked = asked.clone();
        async move {
            let mut buffer = [0; 1024];
            while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                asked.notify_one();
            }
        }
    })
    .await;
    let conf = "worker_shutdown_timeout 100ms; error_log logs/error.log; events {} http { server {
        listen 127.0.0.1:8080; location / { proxy_pass http://127.0.0.1:8090; } } }";
    let mut server = Tidegate::start(conf).with_port(8090, backend.port()).await;
    let mut slow = server.connect().await;
    slow.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    tokio::time::timeout(DEADLINE, was_asked.notified()).await.expect("the backend is asked");
    let start = std::time::Instant::now();
    server.signal(Signal::QUIT);
    assert!(slow.closes().await);
    server.ends().await;
    assert!(start.elapsed() < DEADLINE / 2);
}

#[tokio::test]
async fn quit_says_close_and_gives_tunnels_their_time() {
    let asked = Arc::new(Notify::new());
    let was_asked = asked.clone();
    let backend = Backend::raw(move |mut stream| {
        let asked = was_asked.clone();
        async move {
            let mut buffer = [0; 1024];
            let length = stream.read(&mut buffer).await.unwrap_or(0);
            asked.notify_one();
            if buffer[..length].starts_with(b"GET /late") {
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate").await;
                return;
            }
            let _ = stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").await;
            while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                let _ = stream.write_all(&buffer[..length]).await;
            }
        }
    })
    .await;
    let conf = "worker_shutdown_timeout 4s; error_log logs/error.log; events {} http { server {
        listen 127.0.0.1:8080; location / { proxy_pass http://127.0.0.1:8090; proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection; } } }";
    let mut server = Tidegate::start(conf).with_port(8090, backend.port()).await;
    let mut tunnel = server.connect().await;
    let hello =
        "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    tunnel.send(hello).await;
    tunnel.until("\r\n\r\n").await;
    asked.notified().await;
    let mut late = server.connect().await;
    late.send("GET /late HTTP/1.1\r\nHost: a\r\n\r\n").await;
    tokio::time::timeout(DEADLINE, asked.notified()).await.expect("the backend is asked");
    let start = std::time::Instant::now();
    server.signal(Signal::QUIT);
    let answer = late.answer().await;
    answer.is(200).says("late");
    assert!(!answer.keeps_alive() && late.closes().await, "{answer:?}");
    eventually("nobody is let in", || async { !server.is_open().await }).await;
    while start.elapsed() < std::time::Duration::from_millis(700) {
        tunnel.send("message;").await;
        assert_eq!(tunnel.until(";").await, "message;");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(tunnel.closes().await);
    server.ends().await;
    assert!(start.elapsed() > std::time::Duration::from_millis(3900));
}

#[tokio::test]
async fn usr1_opens_the_logs_again() {
    let server = started().await;
    server.get("/before").await.is(200);
    server.access_log(2).await;
    for log in ["access", "error"] {
        let (from, to) = (format!("logs/{log}.log"), format!("logs/{log}.old"));
        std::fs::rename(server.folder().join(from), server.folder().join(to)).expect("a log");
    }
    server.signal(Signal::USR1);
    eventually("the new log is there", || async {
        server.folder().join("logs/access.log").exists()
    })
    .await;
    eventually("it is written to", || async {
        server.get("/after").await.is(200);
        server.read("logs/access.log").contains("/after")
    })
    .await;
    assert!(server.read("logs/access.old").contains("/before"));
    assert!(server.folder().join("logs/error.log").exists());
}

#[tokio::test]
async fn usr1_opens_the_logs_again_for_requests_of_a_former_configuration() {
    // One process of nginx that does all cannot reload.
    let forms = if process::is_ours() { &["on", "off"][..] } else { &["on"] };
    for master in forms {
        let (backend, was_asked, may_go_on) = waits().await;
        let conf = |word: &str, logs: &str| {
            format!(
                "user root; master_process {master}; error_log logs/error.log notice; events {{}}
                 http {{ access_log logs/access.log; {logs} server {{ listen 127.0.0.1:8080;
                 location / {{ return 200 {word}; }}
                 location /slow {{ proxy_pass http://127.0.0.1:8090; }} }} }}"
            )
        };
        let start = Tidegate::start(&conf("first", "access_log logs/former.log;"));
        let mut server = start.with_port(8090, backend.port()).await;
        let mut slow = server.connect().await;
        slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
        tokio::time::timeout(DEADLINE, was_asked.notified()).await.expect("the backend is asked");
        for word in ["second", "third"] {
            server.reload(&conf(word, ""));
            eventually(word, || async { server.get("/").await.text() == word }).await;
        }
        for log in ["access", "former"] {
            let (from, to) = (format!("logs/{log}.log"), format!("logs/{log}.old"));
            std::fs::rename(server.folder().join(from), server.folder().join(to)).expect("a log");
        }
        server.signal(Signal::USR1);
        eventually("the new log is written to", || async {
            server.get("/").await.is(200);
            server.read("logs/access.log").contains("GET / ")
        })
        .await;
        may_go_on.notify_one();
        slow.answer().await.is(200).says("late");
        for log in ["access", "former"] {
            let told = |end: &str| server.read(&format!("logs/{log}.{end}")).contains("/slow");
            eventually("it is told", || async { told("log") || told("old") }).await;
            assert!(told("log"), "{log} with master_process {master}");
        }
    }
}

#[tokio::test]
async fn the_pid_file_is_there_while_it_runs() {
    let mut server = started().await;
    assert_eq!(server.read("nginx.pid").trim(), server.pid().to_string());
    server.signal(Signal::TERM);
    server.ends().await;
    assert!(!server.folder().join("nginx.pid").exists());
}

#[tokio::test]
async fn the_command_line_sends_signals() {
    let mut server = started().await;
    server.put_conf(&CONF.replace("ok", "again"));
    assert!(server.command(&["-s", "reload"]).status.success());
    eventually("the reload", || async { server.get("/").await.text() == "again" }).await;
    assert!(server.command(&["-s", "reopen"]).status.success());
    let wrong = server.command(&["-s", "nonsense"]);
    assert!(!wrong.status.success());
    let text = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(text.contains("invalid option: \"-s nonsense\""), "{text}");
    server.get("/").await.is(200);
    assert!(server.command(&["-s", "quit"]).status.success());
    server.ends().await;
    let late = server.command(&["-s", "stop"]);
    assert!(!late.status.success());
}
