//! limit_conn: what clients hold in a process that drains counts in the one that serves next, and the
//! other way round, until it is given back or the process is gone.

use std::time::Duration;

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Backend, Connection, Tidegate, eventually, process};

/// A configuration whose workers have another environment with every number.
fn conf(number: u32) -> String {
    let user = if geteuid().is_root() { "user nobody;" } else { "" };
    format!(
        "{user} env NUMBER={number}; error_log logs/error.log info; events {{}} http {{
         access_log off; limit_conn_zone $arg_k zone=clients:1m;
         server {{ listen 127.0.0.1:8080; limit_conn clients 2; limit_conn_status 429;
             location / {{ proxy_pass http://127.0.0.1:8090; }}
             location /full {{ root html; try_files /none =404; }} }} }}"
    )
}

/// A backend whose answers go on until nobody wants them.
async fn endless() -> Backend {
    Backend::raw(|mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ =
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbegins;").await;
        while stream.write_all(b"goes on;").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}

/// A download that goes on for as long as this lives.
async fn download(server: &Tidegate, client: &str) -> Connection {
    let mut connection = server.connect().await;
    connection.send(format!("GET /?k={client} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    let head = connection.until("begins;").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    connection
}

async fn has_two(server: &Tidegate, client: &str) {
    let path = format!("/full?k={client}");
    eventually(&format!("{client} has two"), || async { server.get(&path).await.status == 429 })
        .await;
}

async fn has_room(server: &Tidegate, client: &str) {
    let path = format!("/full?k={client}");
    eventually(&format!("{client} has room"), || async { server.get(&path).await.status == 404 })
        .await;
}

/// Connections that are idle in the process that serves now.
async fn idle(server: &Tidegate) -> Vec<Connection> {
    let mut idle = Vec::new();
    for _ in 0..14 {
        let mut connection = server.connect().await;
        connection.send("GET /full?k=idle HTTP/1.1\r\nHost: a\r\n\r\n").await;
        connection.answer().await.is(404);
        idle.push(connection);
    }
    idle
}

/// Asks on connections that get one answer each, until it is found that a client has two downloads.
async fn has_two_for(idle: Vec<Connection>, client: &str) {
    let mut pause = Duration::from_millis(2);
    for mut connection in idle {
        connection.send(format!("GET /full?k={client} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        if connection.answer().await.status == 429 {
            return;
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    panic!("the process before does not know what {client} has");
}

/// A reload that another worker process takes up; its number.
fn reload(server: &mut Tidegate, number: u32) -> i32 {
    let before = process::children(server.pid());
    server.put_conf(&conf(number));
    let output = server.command(&["reload"]);
    assert!(output.status.success(), "{output:?}");
    let told = "\"env\" has changed: another worker process serves";
    assert_eq!(server.error_log().matches(told).count(), number as usize);
    let after = process::children(server.pid());
    after.into_iter().find(|pid| !before.contains(pid)).expect("another worker process")
}

async fn kill(server: &Tidegate, pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    eventually("it is gone", || async { !process::children(server.pid()).contains(&pid) }).await;
}

#[tokio::test]
async fn downloads_count_in_the_worker_process_that_serves_next() {
    if !process::is_ours() || !geteuid().is_root() {
        eprintln!("skipped: only root has two processes");
        return;
    }
    let backend = endless().await;
    let mut server = Tidegate::start(&conf(0)).with_port(8090, backend.port()).await;
    let first = process::children(server.pid())[0];
    let (one, two) = (download(&server, "a").await, download(&server, "a").await);
    let dead = [download(&server, "dead").await, download(&server, "dead").await];
    let shared = download(&server, "b").await;
    let idle = idle(&server).await;
    let second = reload(&mut server, 1);
    assert_ne!(first, second);
    for client in ["a", "dead"] {
        has_two(&server, client).await;
    }
    has_room(&server, "b").await;
    let also_shared = download(&server, "b").await;
    has_two_for(idle, "b").await;
    drop(one);
    has_room(&server, "a").await;
    let three = download(&server, "a").await;
    has_two(&server, "a").await;
    // A third one begins while the first still drains; the one between them dies.
    let third = reload(&mut server, 2);
    assert!(third != first && third != second);
    for client in ["a", "b", "dead"] {
        has_two(&server, client).await;
    }
    kill(&server, second).await;
    has_room(&server, "a").await;
    let four = download(&server, "a").await;
    has_two(&server, "a").await;
    // Whoever serves dies, and is followed by one who hears of the first, too.
    kill(&server, third).await;
    has_two(&server, "dead").await;
    has_room(&server, "a").await;
    let five = download(&server, "a").await;
    has_two(&server, "a").await;
    kill(&server, first).await;
    for client in ["a", "b", "dead"] {
        has_room(&server, client).await;
    }
    drop((two, three, four, five, shared, also_shared, dead));
}

#[tokio::test]
async fn downloads_count_in_the_program_that_serves_next() {
    if !process::is_ours() {
        return;
    }
    let backend = endless().await;
    let server = Tidegate::start(&conf(0)).with_port(8090, backend.port()).await;
    let (one, two) = (download(&server, "a").await, download(&server, "a").await);
    let dead = [download(&server, "dead").await, download(&server, "dead").await];
    let shared = download(&server, "b").await;
    let idle = idle(&server).await;
    let before = process::serving(server.pid());
    let output = server.command(&["upgrade"]);
    assert!(output.status.success(), "{output:?}");
    for client in ["a", "dead"] {
        has_two(&server, client).await;
    }
    has_room(&server, "b").await;
    let also_shared = download(&server, "b").await;
    has_two_for(idle, "b").await;
    drop(one);
    has_room(&server, "a").await;
    let three = download(&server, "a").await;
    has_two(&server, "a").await;
    kill_process(Pid::from_raw(before).unwrap(), Signal::KILL).unwrap();
    for client in ["a", "b", "dead"] {
        has_room(&server, client).await;
    }
    drop((two, three, shared, also_shared, dead));
}
