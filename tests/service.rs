//! Under a service manager: sockets that it has opened, and what it is told.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::config::free_port;
use crate::harness::{Client, DEADLINE, eventually, process};

#[tokio::test]
async fn systemd_gives_sockets_and_is_told() {
    if !process::is_ours() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let manager = UnixDatagram::bind(folder.path().join("notify")).unwrap();
    manager.set_read_timeout(Some(DEADLINE)).unwrap();
    let told = || {
        let mut text = [0; 500];
        let length = manager.recv(&mut text).expect("the manager is told");
        String::from_utf8_lossy(&text[..length]).into_owned()
    };
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let conf = format!(
        "daemon off; user root; pid t.pid; error_log error.log; events {{}} http {{ access_log off;
         server {{ listen 127.0.0.1:{port}; return 200 here; }} }}"
    );
    std::fs::write(folder.path().join("nginx.conf"), conf).unwrap();
    // The socket is bound already: without being handed over it would be in use.
    let script = "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" -p . -c nginx.conf";
    let mut child = Command::new("sh")
        .args(["-c", script])
        .arg(process::binary())
        .current_dir(folder.path())
        .env("NOTIFY_SOCKET", folder.path().join("notify"))
        .env("WATCHDOG_USEC", "100000")
        .stdin(Stdio::from(OwnedFd::from(socket)))
        .spawn()
        .unwrap();
    let pid = Pid::from_child(&child);
    let ready = format!("READY=1\nMAINPID={}\n", child.id());
    assert!(told().starts_with(&ready));
    Client::of_port(port).get("/").await.is(200).says("here");
    assert_eq!(told(), "WATCHDOG=1");
    let next = || std::iter::repeat_with(told).find(|text| text != "WATCHDOG=1").unwrap();
    kill_process(pid, Signal::HUP).unwrap();
    assert!(next().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert!(next().starts_with(&ready));
    kill_process(pid, Signal::TERM).unwrap();
    assert!(next().starts_with("STOPPING=1"));
    assert!(child.wait().unwrap().success());
}

#[tokio::test]
async fn a_worker_that_stands_still_longer_than_the_watchdog_allows_is_replaced() {
    if !process::is_ours() || !rustix::process::geteuid().is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let manager = UnixDatagram::bind(folder.path().join("notify")).unwrap();
    let beats = || {
        manager.set_nonblocking(true).unwrap();
        let mut text = [0; 500];
        let told = || manager.recv(&mut text).ok().map(|length| text[..length] == *b"WATCHDOG=1");
        std::iter::from_fn(told).filter(|beats| *beats).count()
    };
    let port = free_port();
    let conf = format!(
        "daemon off; pid t.pid; error_log error.log; worker_processes 2; events {{}}
         http {{ access_log off; server {{ listen 127.0.0.1:{port}; return 200 here; }} }}"
    );
    std::fs::write(folder.path().join("nginx.conf"), conf).unwrap();
    let child = process::command(&process::binary(), folder.path())
        .env("NOTIFY_SOCKET", folder.path().join("notify"))
        .env("WATCHDOG_USEC", "2400000")
        .spawn()
        .unwrap();
    let mut child = Guard(child);
    let pid = child.0.id().cast_signed();
    let worker = || process::children(pid).first().copied();
    eventually("it beats", || async { beats() > 0 }).await;
    let before = worker().unwrap();
    kill_process(Pid::from_raw(before).unwrap(), Signal::STOP).unwrap();
    let status = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("status"));
    let tasks = || std::fs::read_dir(format!("/proc/{before}/task")).unwrap().flatten();
    let stands = || tasks().all(|task| status(task).is_ok_and(|text| text.contains("State:\tT")));
    eventually("it stands still", || async { stands() }).await;
    let start = Instant::now();
    // What waits in the meantime is served by the next one.
    Client::of_port(port).get("/").await.is(200).says("here");
    let took = start.elapsed();
    assert!(took >= Duration::from_secs(1), "not before its time: {took:?}");
    assert!(worker().is_some_and(|now| now != before));
    let log = std::fs::read_to_string(folder.path().join("error.log")).unwrap();
    assert!(log.contains(&format!("worker process {before} has stood still for ")), "{log}");
    assert!(log.contains("it is killed"), "{log}");
    beats();
    eventually("it beats again", || async { beats() > 0 }).await;
    kill_process(Pid::from_child(&child.0), Signal::TERM).unwrap();
    assert!(child.0.wait().unwrap().success());
}

/// Whoever waits for somebody to write into it goes on when the test ends.
struct Fifo(PathBuf);

impl Drop for Fifo {
    fn drop(&mut self) {
        let _ = std::fs::OpenOptions::new().read(true).write(true).open(&self.0);
    }
}

/// Ends with the test.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_reload_that_takes_longer_than_the_watchdog_allows_is_waited_for() {
    if !process::is_ours() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let manager = UnixDatagram::bind(path("notify")).unwrap();
    manager.set_read_timeout(Some(DEADLINE)).unwrap();
    let told = || {
        let mut text = [0; 500];
        let length = manager.recv(&mut text).expect("the manager is told");
        String::from_utf8_lossy(&text[..length]).into_owned()
    };
    let next = || std::iter::repeat_with(told).find(|text| text != "WATCHDOG=1").unwrap();
    let port = free_port();
    let conf = |more: &str| {
        format!(
            "daemon off; pid t.pid; error_log error.log; events {{}} http {{ access_log off;
             server {{ listen 127.0.0.1:{port}; {more} }} }}"
        )
    };
    std::fs::write(path("nginx.conf"), conf("return 200 before;")).unwrap();
    let child = process::command(&process::binary(), folder.path())
        .env("NOTIFY_SOCKET", path("notify"))
        .env("WATCHDOG_USEC", "400000")
        .spawn()
        .unwrap();
    let mut child = Guard(child);
    assert!(next().starts_with("READY=1"));
    // A file that is there when somebody writes it.
    assert!(Command::new("mkfifo").arg(path("slow")).status().unwrap().success());
    let _end = Fifo(path("slow"));
    std::fs::write(path("nginx.conf"), conf("include slow;")).unwrap();
    kill_process(Pid::from_child(&child.0), Signal::HUP).unwrap();
    assert!(next().starts_with("RELOADING=1"));
    for _ in 0..5 {
        assert_eq!(told(), "WATCHDOG=1");
    }
    Client::of_port(port).get("/").await.is(200).says("before");
    let slow = path("slow");
    let write = tokio::task::spawn_blocking(move || std::fs::write(slow, "return 200 after;"));
    assert!(next().starts_with("READY=1"));
    write.await.unwrap().unwrap();
    Client::of_port(port).get("/").await.is(200).says("after");
    assert_eq!(told(), "WATCHDOG=1");
    kill_process(Pid::from_child(&child.0), Signal::TERM).unwrap();
    assert!(child.0.wait().unwrap().success());
}

/// What `systemd-analyze` says to a unit and some words; `None`, told, where it is not there.
fn analyzed(folder: &Path, words: &[&str]) -> Option<Output> {
    let output = Command::new("systemd-analyze").args(words).current_dir(folder).output();
    output.inspect_err(|_| eprintln!("skipped: systemd-analyze is not installed")).ok()
}

#[test]
fn the_units_are_good_and_tight() {
    let conf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conf");
    let folder = tempfile::tempdir().unwrap();
    let unit = std::fs::read_to_string(conf.join("tidegate.service")).unwrap();
    for word in ["Type=notify", "NoNewPrivileges=yes", "KillSignal=SIGQUIT", "WatchdogSec="] {
        assert!(unit.lines().any(|line| line.starts_with(word)), "{word}");
    }
    // The programs that a unit names have to be there.
    let unit = unit.replace("/usr/sbin/tidegate", "/bin/true");
    std::fs::write(folder.path().join("tidegate.service"), unit).unwrap();
    std::fs::copy(conf.join("tidegate.socket"), folder.path().join("tidegate.socket")).unwrap();
    let words = ["verify", "./tidegate.service", "./tidegate.socket"];
    let Some(output) = analyzed(folder.path(), &words) else { return };
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    // In tenths; nginx's own unit in Debian is at 96.
    let words = ["security", "--offline=true", "--threshold=40", "./tidegate.service"];
    let Some(output) = analyzed(folder.path(), &words) else { return };
    assert!(output.status.success(), "{output:?}");
}
