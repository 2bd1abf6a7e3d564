//! A server in the background: what it is started with, and workers that rest.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, geteuid, kill_process};

use super::run;
use crate::harness::config::free_port;
use crate::harness::{Client, Load, eventually, process};

/// A server in the background, which ends with this.
pub(super) struct Background {
    pub(super) folder: tempfile::TempDir,
    pub(super) port: u16,
}

/// A configuration whose workers serve, and tell of themselves.
const CONF: &str = "error_log error.log info; events {} http { access_log off;
     server { listen 127.0.0.1:8080; location / { return 200 word$pid; } } }";

impl Background {
    /// A server that is to be started.
    fn new(conf: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let conf =
            format!("daemon on; user root; pid t.pid; {}", conf.replace("8080", &port.to_string()));
        std::fs::write(folder.path().join("nginx.conf"), conf).unwrap();
        Self { folder, port }
    }

    fn start(conf: &str) -> Self {
        let server = Self::new(conf);
        run(server.folder.path(), &[]);
        server
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("error.log")).unwrap()
    }

    /// Waits until the error log says this.
    async fn logs(&self, words: &str) {
        eventually(&format!("the error log says {words:?}"), || async {
            self.log().contains(words)
        })
        .await;
    }

    /// The worker process that is not this one.
    async fn worker(&self, before: i32) -> i32 {
        let master = self.pid("t.pid").unwrap();
        let other = || process::children(master).into_iter().find(|pid| *pid != before);
        eventually("a worker serves", || async {
            other().is_some_and(|pid| self.log().contains(&format!("start worker process {pid}")))
        })
        .await;
        other().unwrap()
    }

    fn pid(&self, file: &str) -> Option<i32> {
        std::fs::read_to_string(self.folder.path().join(file)).ok()?.trim().parse().ok()
    }

    fn signal(&self, file: &str, signal: Signal) {
        let pid = self.pid(file).and_then(Pid::from_raw).expect("a process");
        kill_process(pid, signal).unwrap();
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        for file in ["t.pid", "t.pid.oldbin"] {
            if let Some(pid) = self.pid(file).and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::TERM);
            }
        }
    }
}

#[tokio::test]
async fn the_workers_of_an_old_program_rest_and_come_back() {
    if !process::is_ours() {
        return;
    }
    let server = Background::start(CONF);
    let client = Client::of_port(server.port);
    let who = async || client.get("/").await.text();
    let load = Load::on(client);
    let old = who().await;
    server.signal("t.pid", Signal::USR2);
    eventually("two masters", || async {
        server.pid("t.pid.oldbin").is_some() && server.pid("t.pid").is_some()
    })
    .await;
    eventually("the new one serves", || async { who().await != old }).await;
    server.signal("t.pid.oldbin", Signal::WINCH);
    let is_root = rustix::process::geteuid().is_root();
    let master = server.pid("t.pid.oldbin").unwrap();
    eventually("the old workers end", || async {
        !is_root || process::children(master).len() == 1
    })
    .await;
    for _ in 0..20 {
        assert_ne!(who().await, old);
    }
    // Back: the old one serves again, by HUP, and the new one goes.
    server.signal("t.pid.oldbin", Signal::HUP);
    eventually("the old master has workers", || async {
        !is_root || process::children(master).len() == 2
    })
    .await;
    server.signal("t.pid", Signal::QUIT);
    eventually("the old name", || async { server.pid("t.pid") == Some(master) }).await;
    eventually("the new one ends", || async {
        process::children(master).len() == usize::from(is_root)
    })
    .await;
    load.end().await;
    client.get("/").await.is(200);
    // Alone it rests as well; who comes meanwhile waits.
    server.signal("t.pid", Signal::WINCH);
    eventually("nobody serves", || async { !is_root || process::children(master).is_empty() })
        .await;
    if is_root {
        let mut waiting = client.connect().await;
        waiting.send("GET / HTTP/1.0\r\n\r\n").await;
        server.signal("t.pid", Signal::HUP);
        waiting.answer().await.is(200);
    }
}

/// Whether there are a master and a worker process.
fn is_split() -> bool {
    let is_split = process::is_ours() && geteuid().is_root();
    if !is_split {
        eprintln!("skipped: only root has two processes");
    }
    is_split
}

#[tokio::test]
async fn a_worker_that_is_due_does_not_come_while_workers_rest() {
    if !is_split() {
        return;
    }
    let server = Background::start(CONF);
    let client = Client::of_port(server.port);
    // Those that die young are followed after a pause that grows.
    while !server.log().contains("another is started in 800 ms") {
        let worker = server.worker(0).await;
        kill_process(Pid::from_raw(worker).unwrap(), Signal::KILL).unwrap();
        server.logs(&format!("worker process {worker} ended")).await;
    }
    server.signal("t.pid", Signal::WINCH);
    server.logs("signal 28 (SIGWINCH) received").await;
    // Once more changes nothing, and by then one would have been due.
    server.signal("t.pid", Signal::WINCH);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let log = server.log();
    let after = log.split("(SIGWINCH) received").nth(1).unwrap();
    assert!(!after.contains("start worker process"), "{log}");
    assert!(process::children(server.pid("t.pid").unwrap()).is_empty());
    // Who comes waits for those who serve again.
    let mut waiting = client.connect().await;
    waiting.send("GET / HTTP/1.0\r\n\r\n").await;
    server.signal("t.pid", Signal::HUP);
    waiting.answer().await.is(200);
    // One that dies then is followed by another, as before.
    let worker = server.worker(0).await;
    kill_process(Pid::from_raw(worker).unwrap(), Signal::KILL).unwrap();
    server.logs(&format!("worker process {worker} ended")).await;
    client.get("/").await.is(200);
    server.signal("t.pid", Signal::QUIT);
    eventually("it ends", || async { server.pid("t.pid").is_none() }).await;
}

#[tokio::test]
async fn who_rests_serves_again_when_a_reload_is_asked_for() {
    if !is_split() {
        return;
    }
    // With a worker that finishes what it has begun, and with none.
    for words in [&["reload"][..], &["-s", "reload"]] {
        let server = Background::start(CONF);
        let client = Client::of_port(server.port);
        let mut begun = client.connect().await;
        if words.len() == 1 {
            begun.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
            begun.answer().await.is(200);
        }
        let before = server.worker(0).await;
        server.signal("t.pid", Signal::WINCH);
        server.logs("(SIGWINCH) received").await;
        run(server.folder.path(), words);
        let worker = server.worker(before).await;
        client.get("/").await.is(200);
        // One that dies is followed by another.
        kill_process(Pid::from_raw(worker).unwrap(), Signal::KILL).unwrap();
        server.logs(&format!("worker process {worker} ended")).await;
        client.get("/").await.is(200);
        if words.len() == 1 {
            begun.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
            begun.answer().await.is(200).mentions(&format!("word{before}"));
        }
    }
}

#[tokio::test]
async fn a_configuration_that_comes_over_standard_input_serves_in_the_background() {
    if !process::is_ours() {
        return;
    }
    // In two processes, and in one.
    for more in ["", "master_process off; "] {
        let server = Background::new(&format!("{more}{CONF}"));
        let path = |name: &str| server.folder.path().join(name);
        for is_file in [true, false] {
            let mut command = Command::new(process::binary());
            command.arg("-p").arg(server.folder.path()).args(["-c", "/dev/stdin"]);
            let status = if is_file {
                // As nginx can be started, too.
                let conf = std::fs::File::open(path("nginx.conf")).unwrap();
                command.stdin(conf).status().unwrap()
            } else {
                let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
                let conf = std::fs::read(path("nginx.conf")).unwrap();
                child.stdin.take().unwrap().write_all(&conf).unwrap();
                child.wait().unwrap()
            };
            assert!(status.success(), "{status}");
            let client = Client::of_port(server.port);
            client.get("/").await.is(200).mentions("word");
            // It is not there a second time, as with nginx: what holds goes on.
            server.signal("t.pid", Signal::HUP);
            server.logs("the old configuration holds on").await;
            client.get("/").await.is(200);
            server.signal("t.pid", Signal::QUIT);
            eventually("it ends", || async { server.pid("t.pid").is_none() }).await;
            std::fs::write(path("error.log"), "").unwrap();
        }
    }
}
