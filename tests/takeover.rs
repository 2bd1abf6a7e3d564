//! Another program takes a running one's place, by nginx's signals and by one command; nothing is
//! refused, and what fails leaves the old one as it was.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::http2::{DATA, END_STREAM, request};
use crate::harness::{Backend, Http2, Load, Tidegate, backend, eventually, process};

fn says(word: &str) -> String {
    format!(
        "daemon off; error_log logs/error.log info; events {{}} http {{ access_log logs/access.log;
         server {{ listen 127.0.0.1:8080; listen unix:{{PREFIX}}/s.sock; location / {{ return 200 {word}; }} }} }}"
    )
}

/// A server whose unix socket lies beside it.
async fn started(word: &str) -> Tidegate {
    let server = Tidegate::start(&says(word).replace("unix:{PREFIX}/", "unix:")).await;
    // Its port takes connections before anybody is there to be asked anything.
    server.get("/").await.is(200);
    server
}

fn pid_in(server: &Tidegate, file: &str) -> Option<Pid> {
    server.read(file).trim().parse().ok().and_then(Pid::from_raw)
}

/// Ends what has taken the server's place.
fn end(server: &Tidegate) {
    if let Some(pid) = pid_in(server, "nginx.pid") {
        let _ = kill_process(pid, Signal::TERM);
    }
}

#[tokio::test]
async fn one_command_does_it_all_and_loses_nothing() {
    if !process::is_ours() {
        return;
    }
    let mut server = started("word0").await;
    let load = Load::on(server.at(8080));
    let old = pid_in(&server, "nginx.pid");
    server.put_conf(&says("word1").replace("unix:{PREFIX}/", "unix:"));
    let output = server.command(&["upgrade"]);
    assert!(output.status.success(), "{output:?}");
    server.ends().await;
    let new = pid_in(&server, "nginx.pid");
    assert!(new.is_some() && new != old, "{new:?}");
    eventually("the new one answers", || async { server.get("/").await.text() == "word1" }).await;
    load.end().await;
    assert!(server.folder().join("s.sock").exists());
    assert!(!server.folder().join("nginx.pid.oldbin").exists());
    let status = server.command(&["status"]);
    let text = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(text.contains(&format!("process {}", new.unwrap())), "{text}");
    assert!(server.command(&["quit"]).status.success());
    eventually("it ends", || async { !server.is_open().await }).await;
}

#[tokio::test]
async fn three_in_a_row_lose_nothing() {
    if !process::is_ours() {
        return;
    }
    let mut server = started("word0").await;
    let load = Load::on(server.at(8080));
    for number in 1..=3 {
        let mut idle = server.connect().await;
        idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        idle.answer().await.says(format!("word{}", number - 1));
        server.put_conf(&says(&format!("word{number}")).replace("unix:{PREFIX}/", "unix:"));
        // The next has to wait until the one before has gone.
        eventually("an upgrade", || async {
            let output = server.command(&["upgrade"]);
            let refused = String::from_utf8_lossy(&output.stderr);
            let early = refused.contains("binary signal is ignored: you should shutdown");
            assert!(output.status.success() || number > 1 && early, "{output:?}");
            output.status.success()
        })
        .await;
        let word = format!("word{number}");
        eventually(&word, || async { server.get("/").await.text() == word }).await;
        // One that was idle is not closed in a race with its next request: the old program answers
        // it, and says that it is the last.
        loop {
            idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
            let answer = idle.answer().await;
            answer.is(200).says(format!("word{}", number - 1));
            if !answer.keeps_alive() {
                break;
            }
        }
    }
    load.end().await;
    assert!(server.command(&["quit"]).status.success());
    eventually("it ends", || async { !server.is_open().await }).await;
}

#[tokio::test]
async fn websockets_and_streams_finish_under_the_old_program() {
    if !process::is_ours() {
        return;
    }
    let (posts, sockets) = (Backend::http(|_| backend::ok("got")).await, Backend::echoing().await);
    let conf = |number: u32, limit: &str| {
        format!(
            "daemon off; error_log logs/error.log info; {limit} events {{}}
             http {{ access_log off; server {{ listen 127.0.0.1:8080; http2 on;
                 location / {{ return 200 word{number}; }}
                 location /post {{ proxy_pass http://127.0.0.1:8090; }}
                 location /socket {{ proxy_pass http://127.0.0.1:8091; proxy_http_version 1.1;
                     proxy_set_header Upgrade $http_upgrade;
                     proxy_set_header Connection upgrade; }} }} }}"
        )
    };
    let mut server = Tidegate::start(&conf(0, ""))
        .with_port(8090, posts.port())
        .with_port(8091, sockets.port())
        .await;
    server.get("/").await.is(200);
    let load = Load::on(server.at(8080));
    let hello =
        "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    for number in 1..=3 {
        let mut socket = server.connect().await;
        socket.send(hello).await;
        socket.until("\r\n\r\n").await;
        let mut streams = Http2::to(&server.at(8080)).await;
        let begun = streams.head(&request("POST", "/post", &[]), 0).await;
        let limit = if number == 3 { "worker_shutdown_timeout 1s;" } else { "" };
        server.put_conf(&conf(number, limit));
        let output = server.command(&["upgrade"]);
        assert!(output.status.success(), "{output:?}");
        let word = format!("word{number}");
        eventually(&word, || async { server.get("/").await.text() == word }).await;
        // What was begun goes on where it was begun.
        socket.send("still there;").await;
        assert_eq!(socket.until(";").await, "still there;");
        streams.frame(DATA, END_STREAM, begun, b"body").await;
        streams.reply(begun).await.answer().is(200).says("got");
        assert!(streams.goes_away().await.is_some());
        let old = || server.folder().join("nginx.pid.oldbin").exists();
        assert!(old(), "the WebSocket is there");
        drop((socket, streams));
        eventually("the old program ends", || async { !old() }).await;
    }
    // Who does not end has as long as `worker_shutdown_timeout` says.
    let mut socket = server.connect().await;
    socket.send(hello).await;
    socket.until("\r\n\r\n").await;
    assert!(server.command(&["upgrade"]).status.success());
    assert!(socket.closes().await);
    load.end().await;
    end(&server);
}

#[tokio::test]
async fn one_that_does_not_come_up_changes_nothing() {
    if !process::is_ours() {
        return;
    }
    let mut server = started("word0").await;
    server.get("/").await.says("word0");
    let before = server.read("nginx.pid");
    server.put_conf("events {} http { nonsense; }");
    // The configuration is read by the command as well; a server asked behind its back says no.
    let socket = server.folder().join("nginx.pid.sock");
    let answer = asked(&socket, "upgrade\n");
    assert!(answer.starts_with("failed\nnew binary process"), "{answer}");
    assert_eq!(server.read("nginx.pid"), before);
    server.get("/").await.says("word0");
    let answer = asked(&socket, "reload\n");
    assert!(answer.starts_with("failed\nunknown directive \"nonsense\""), "{answer}");
    server.get("/").await.says("word0");
    assert!(asked(&socket, "dance\n").starts_with("failed\nunknown request"));
    assert!(asked(&socket, "status\n").starts_with("ok\ntidegate/"));
}

fn asked(socket: &Path, line: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::os::unix::net::UnixStream::connect(socket).expect("the socket");
    stream.write_all(line.as_bytes()).expect("written");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    text
}

#[tokio::test]
async fn signals_do_it_as_in_nginx() {
    let server = started("word0").await;
    let load = Load::on(server.at(8080));
    let first = pid_in(&server, "nginx.pid");
    server.signal(Signal::USR2);
    eventually("two pid files", || async {
        // Between the two there is a moment without the first.
        let new = pid_in(&server, "nginx.pid");
        new.is_some() && new != first && pid_in(&server, "nginx.pid.oldbin").is_some()
    })
    .await;
    let (new, old) = (pid_in(&server, "nginx.pid"), pid_in(&server, "nginx.pid.oldbin"));
    assert_eq!(old.map(Pid::as_raw_pid), Some(server.pid()));
    assert_ne!(new, old);
    server.get("/").await.is(200);
    // Back: the new one ends, and the old one goes on under its old name.
    kill_process(new.unwrap(), Signal::QUIT).unwrap();
    eventually("the old name", || async { pid_in(&server, "nginx.pid") == old }).await;
    server.get("/").await.is(200);
    if process::is_ours() {
        load.end().await;
    } else {
        load.give_up();
    }
    end(&server);
}
