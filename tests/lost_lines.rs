//! Logs that do not take their lines hold no request up: what is lost is counted, and told.

use std::cell::RefCell;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::fs::{FileType, Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};

use crate::harness::config::free_port;
use crate::harness::{Client, Tidegate, eventually, process};

/// Asks so many times on one connection, each by a long line.
async fn ask(client: Client, times: usize, path: &str, status: u16) {
    let mut connection = client.connect().await;
    let request = format!("GET {path}?{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(6000));
    for _ in 0..times {
        connection.send(&request).await;
        let answer = connection.answer().await;
        assert_eq!(answer.status, status);
        if !answer.keeps_alive() {
            connection = client.connect().await;
        }
    }
}

/// How many lines a log says were lost, in all.
fn lost(log: &str) -> u64 {
    let counts = log.split("lines lost: ").skip(1);
    counts.filter_map(|rest| rest.lines().next()?.trim().parse::<u64>().ok()).sum()
}

/// What comes by a pipe, read without waiting when it is asked for.
struct Pipe<R>(RefCell<(R, Vec<u8>)>);

impl<R: Read> Pipe<R> {
    fn text(&self) -> String {
        let (reader, all) = &mut *self.0.borrow_mut();
        let _ = reader.read_to_end(all);
        String::from_utf8_lossy(all).into_owned()
    }
}

const CONF: &str = "keepalive_requests 100000;
    server { listen 127.0.0.1:8080; location / { return 200 here; } }";

#[tokio::test]
async fn a_disk_that_is_full_is_told_of() {
    if !process::is_ours() {
        return;
    }
    let server = Tidegate::start(&format!("access_log /dev/full; {CONF}")).await;
    ask(server.at(8080), 20, "/", 200).await;
    server
        .logs("write() to \"/dev/full\" failed (28: No space left on device), lines lost: ")
        .await;
    assert_eq!(server.error_log().matches("lines lost").count(), 1);
    server.get("/").await.is(200);
}

/// A small file system, which goes with this.
struct Small(PathBuf);

impl Small {
    fn at(path: &Path) -> Option<Self> {
        std::fs::create_dir(path).unwrap();
        let words = ["-t", "tmpfs", "-o", "size=96k", "tmpfs"];
        let mounted = Command::new("mount").args(words).arg(path).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(path.to_owned()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[tokio::test]
async fn a_disk_that_was_full_is_written_to_again() {
    if !process::is_ours() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let Some(small) = Small::at(&folder.path().join("small")) else {
        eprintln!("skipped: a small disk takes root's rights");
        return;
    };
    std::fs::write(small.0.join("other"), vec![0; 60_000]).unwrap();
    let conf = format!(
        "error_log small/error.log warn; events {{}} http {{ access_log small/access.log; {CONF} }}"
    );
    let server = Tidegate::start(&conf).in_folder(folder.path()).await;
    ask(server.at(8080), 40, "/", 200).await;
    let read = |name: &str| std::fs::read_to_string(small.0.join(name)).unwrap_or_default();
    let before = read("access.log").lines().count();
    assert!(before < 40, "{before}");
    std::fs::remove_file(small.0.join("other")).unwrap();
    eventually("the lost lines are told of", || async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.get("/again").await.is(200);
        lost(&read("error.log")) >= 30
    })
    .await;
    // A line that was torn off does not run into the next one.
    let text = read("access.log");
    let again = text.lines().filter(|line| line.contains("\"GET /again HTTP/1.1\" 200")).count();
    let whole = text.lines().filter(|line| line.starts_with("127.0.0.1 - - [")).count();
    assert!(again > 0 && whole >= text.lines().count() - 1, "{again}, {whole} of {}", text.len());
    drop(server);
}

#[tokio::test]
async fn a_pipe_that_nobody_reads_holds_nobody_up() {
    if !process::is_ours() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let reader = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(&path).unwrap();
    let pipe = Pipe(RefCell::new((reader, Vec::new())));
    let conf = format!("access_log pipe; {CONF}");
    let server = Tidegate::start(&conf).in_folder(folder.path()).await;
    ask(server.at(8080), 300, "/", 200).await;
    server.logs("/pipe\" failed (11: Resource temporarily unavailable), lines lost: ").await;
    eventually("what was kept comes", || async { pipe.text().len() > 1_000_000 }).await;
    server.get("/after").await.is(200);
    eventually("lines come again", || async { pipe.text().contains("GET /after") }).await;
    drop(server);
}

#[tokio::test]
async fn standard_error_that_nobody_reads_holds_nobody_up() {
    if !process::is_ours() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let conf = format!(
        "daemon off; pid t.pid; error_log stderr info; events {{}}
         http {{ access_log off; server {{ listen 127.0.0.1:{port}; keepalive_requests 10000; }} }}"
    );
    std::fs::write(folder.path().join("nginx.conf"), conf).unwrap();
    let mut child = Command::new(process::binary())
        .args(["-p", ".", "-c", "nginx.conf"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = child.stderr.take().unwrap();
    let client = Client::of_port(port);
    eventually("it serves", || async { client.is_open().await }).await;
    ask(client, 200, "/missing", 404).await;
    let flags = rustix::fs::fcntl_getfl(output.as_fd()).unwrap();
    rustix::fs::fcntl_setfl(output.as_fd(), flags | OFlags::NONBLOCK).unwrap();
    let pipe = Pipe(RefCell::new((output, Vec::new())));
    eventually("it is told what was lost", || async {
        client.get("/missing").await.is(404);
        lost(&pipe.text()) > 100
    })
    .await;
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
}

#[tokio::test]
async fn syslog_that_nobody_reads_holds_nobody_up() {
    if !process::is_ours() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let socket = UnixDatagram::bind(&path).unwrap();
    let conf = format!("access_log syslog:server=unix:{},nohostname; {CONF}", path.display());
    let server = Tidegate::start(&conf).await;
    ask(server.at(8080), 300, "/", 200).await;
    server.logs(" failed (11: Resource temporarily unavailable), lines lost: ").await;
    drop(socket);
    server.get("/").await.is(200);
}

#[tokio::test]
async fn a_folder_that_is_gone_when_logs_are_opened_anew_keeps_them_as_they_are() {
    let server = Tidegate::start(CONF).await;
    server.get("/before").await.is(200);
    server.access_log(1).await;
    let (there, gone) = (server.folder().join("logs"), server.folder().join("gone"));
    std::fs::rename(&there, &gone).unwrap();
    server.signal(Signal::USR1);
    let read = |name: &str| std::fs::read_to_string(gone.join(name)).unwrap_or_default();
    eventually("it is told", || async {
        read("error.log").contains("logs/access.log\" failed (2: No such file or directory)")
    })
    .await;
    server.get("/after").await.is(200);
    eventually("the line", || async { read("access.log").contains("/after") }).await;
    std::fs::create_dir(&there).unwrap();
    server.signal(Signal::USR1);
    eventually("the new one is written to", || async {
        server.get("/new").await.is(200);
        server.read("logs/access.log").contains("/new")
    })
    .await;
}
