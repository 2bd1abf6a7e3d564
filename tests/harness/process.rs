//! A server's process: started, signalled, and ended by its id.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::DEADLINE;

/// The binary under test: `TIDEGATE_TEST_BINARY`, else the one Cargo has built.
pub fn binary() -> PathBuf {
    std::env::var_os("TIDEGATE_TEST_BINARY")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_tidegate")), PathBuf::from)
}

/// Whether the binary under test is tidegate: what it promises beyond nginx, nginx need not keep.
pub fn is_ours() -> bool {
    serves() && is_named(&binary())
}

/// Whether a binary is called tidegate.
pub fn is_named(binary: &Path) -> bool {
    binary.file_name().is_some_and(|name| name == "tidegate")
}

/// Whether the binary under test can serve at all.
pub fn serves() -> bool {
    let output = Command::new(binary()).arg("-v").output();
    output.is_ok_and(|output| !output.stderr.is_empty() || !output.stdout.is_empty())
}

/// The command that runs a binary on `nginx.conf` in a folder.
pub fn command(binary: &Path, folder: &Path) -> Command {
    let mut command = Command::new(binary);
    command.current_dir(folder).arg("-p").arg(folder).args(["-c", "nginx.conf"]);
    command.args(["-e", "logs/error.log"]).stdin(Stdio::null());
    command
}

/// Whether all that `-t` finds fault with is that it is not root who asks: to listen on a port below 1024,
/// to write to the system's folders, or to read its keys.
pub fn is_forbidden(printed: &str) -> bool {
    let mut faults = printed.lines().filter(|line| line.contains("[emerg]")).peekable();
    let is_denied = |line: &str| {
        line.contains("(13: Permission denied)")
            || line.contains("(Permission denied (os error 13))")
    };
    !geteuid().is_root() && faults.peek().is_some() && faults.all(is_denied)
}

/// The processes that this one has started, by number.
pub fn children(pid: i32) -> Vec<i32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("a process");
    let tasks = tasks.flatten().map(|task| task.path().join("children"));
    let text: String = tasks.filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    text.split_whitespace().filter_map(|number| number.parse().ok()).collect()
}

/// The process that serves, of a server whose first process is this: its worker process, or the only
/// one.
pub fn serving(pid: i32) -> i32 {
    children(pid).first().copied().unwrap_or(pid)
}

/// A running server and all its workers (they share a process group).
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts the server; what it prints goes to `logs/output` in the folder.
    pub fn start(binary: &Path, folder: &Path) -> Self {
        let output = File::create(folder.join("logs/output")).expect("a file for the output");
        let mut command = command(binary, folder);
        command.stdout(output.try_clone().expect("a second handle")).stderr(output);
        let child = command.process_group(0).spawn();
        Self { child: child.unwrap_or_else(|e| panic!("cannot run {}: {e}", binary.display())) }
    }

    /// Sends a signal to the server's first process.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the server can be signalled");
    }

    /// How it ended, where it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the server can be waited for")
    }

    /// Its process id.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended().is_none() {
            self.signal(Signal::TERM);
        }
        let end = Instant::now() + DEADLINE / 4;
        while self.ended().is_none() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(2));
        }
        // Workers that outlived their master, and a server that would not end.
        let _ = kill_process_group(self.pid(), Signal::KILL);
        let _ = self.child.wait();
    }
}

/// Whether a server answers at the socket beside its pid file: it does when all of it is there.
pub async fn answers(socket: &Path) -> bool {
    let Ok(mut stream) = UnixStream::connect(socket).await else { return false };
    let mut answer = Vec::new();
    stream.write_all(b"log\n").await.is_ok()
        && stream.read_to_end(&mut answer).await.is_ok()
        && !answer.is_empty()
}
