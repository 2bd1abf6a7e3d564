//! Another program that takes this one's place: it gets the sockets, and says when it serves.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::channel::{Channel, Message};
use super::environment;
use super::ground::Ground;
use super::inherited::{SOCKETS, SUCCEEDS};
use super::memory::Memory;
use crate::tls::Chain;

/// What the other program says when it serves.
const READY: u8 = b'+';

/// The kind of the message that the other program finds: what it goes on with.
const HANDED_ON: u8 = b't';

/// The most bytes that it has.
const MOST: u64 = 1000;

/// What has become of the other program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// It serves.
    Serves,
    /// It has ended, and how.
    Ended(String),
}

/// The other program.
pub(super) struct Successor {
    pid: Pid,
    news: UnboundedReceiver<News>,
}

impl Successor {
    /// Starts the program that lies where this one lay, with the same words, and hands it the
    /// sockets in nginx's manner.
    pub(super) fn start(program: &Path, ground: &Ground, memory: Option<&Memory>) -> Result<Self> {
        let listeners = &ground.listeners;
        let sockets: Vec<BorrowedFd<'_>> = listeners.values().map(AsFd::as_fd).collect();
        let numbers: Vec<String> =
            sockets.iter().map(|socket| socket.as_raw_fd().to_string()).collect();
        let (own, other) = UnixStream::pair().context("socketpair() failed")?;
        let chain = ground.chain.as_ref().and_then(Chain::forgetting);
        let chain = chain.map(|chain| chain.bytes().to_vec()).unwrap_or_default();
        let files = memory.map(Memory::files).unwrap_or_default();
        let mark = memory.map(Memory::mark).unwrap_or_default();
        // It fits into what the system keeps for who reads later; another program does not read it.
        Channel::new(own.try_clone()?, 0)?.send(HANDED_ON, &[&chain, &mark], &files)?;
        let mut command = Command::new(program);
        environment::give_back(&mut command);
        command
            .args(env::args_os().skip(1))
            .env(SOCKETS, numbers.join(";") + ";")
            .env(SUCCEEDS, "1");
        command.env_remove("LISTEN_PID").env_remove("LISTEN_FDS");
        command.stdin(OwnedFd::from(other));
        let pass = |flags: FdFlags| -> Result<()> {
            sockets.iter().try_for_each(|socket| fcntl_setfd(socket, flags)).map_err(Into::into)
        };
        pass(FdFlags::empty())?;
        let started = command.spawn();
        pass(FdFlags::CLOEXEC)?;
        let child = started
            .with_context(|| format!("execve() failed while executing {}", program.display()))?;
        let pid = Pid::from_child(&child);
        Ok(Self { pid, news: listen(own, child)? })
    }

    /// Its number.
    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// What becomes of it; nothing more after its end.
    pub(super) async fn news(&mut self) -> Option<News> {
        self.news.recv().await
    }

    /// Has it end.
    pub(super) fn stop(&self) {
        // It is not waited for before its end is told, and so the number is its own.
        let _ = kill_process(self.pid, Signal::TERM);
    }
}

/// Waits for it on a thread of its own.
fn listen(
    mut stream: UnixStream,
    mut child: std::process::Child,
) -> Result<UnboundedReceiver<News>> {
    let (sender, receiver) = unbounded_channel();
    let wait = move || {
        let mut byte = [0];
        while let Ok(1) = stream.read(&mut byte) {
            if byte == [READY] {
                let _ = sender.send(News::Serves);
            }
        }
        let how = match child.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let _ = sender.send(News::Ended(how));
    };
    let thread = std::thread::Builder::new().name("successor".to_owned());
    thread.spawn(wait).context("a thread cannot be started")?;
    Ok(receiver)
}

/// The way back to the server whose place this one takes; it lasts as long as this process.
pub(super) struct Predecessor {
    stream: UnixStream,
    pid: Option<Pid>,
    handed_on: Option<Message>,
}

impl Predecessor {
    /// The server whose place this one takes, where it does. Standard input leads to nobody after.
    pub(super) fn of_this() -> Result<Option<Self>> {
        if env::var_os(SUCCEEDS).is_none() {
            return Ok(None);
        }
        let stream = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
        rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
        // What there is to read is there already; an older program says nothing.
        stream.set_nonblocking(true)?;
        let said = Channel::new(stream.try_clone()?, MOST)?.receive();
        stream.set_nonblocking(false)?;
        let handed_on = said.ok().filter(|said| said.kind == HANDED_ON);
        Ok(Some(Self { stream, pid: rustix::process::getppid(), handed_on }))
    }

    /// Hands on what the other server knew.
    pub(super) fn hand_on(&mut self, ground: &mut Ground) {
        let Some(message) = self.handed_on.take() else { return };
        if let Some(chain) = message.fields.first().and_then(|chain| Chain::of(chain)) {
            ground.chain = Some(chain);
        }
        let mark = message.fields.get(1).map(Vec::as_slice);
        ground.memory = Some(Arc::new(Memory::of(mark, message.files)));
    }

    /// Says that this one serves.
    pub(super) fn tell(&mut self) {
        // Where it is gone, nobody needs to know.
        let _ = self.stream.write_all(&[READY]);
    }

    /// Whether it still lives.
    pub(super) fn lives(&self) -> bool {
        self.pid.is_some() && rustix::process::getppid() == self.pid
    }
}

/// Where this program lies, as it was called: what lies there later is the next version of it.
pub(super) fn program() -> PathBuf {
    let called = env::args_os().next().unwrap_or_else(|| OsString::from("tidegate"));
    let path = PathBuf::from(&called);
    if path.components().count() > 1 {
        return std::path::absolute(&path).unwrap_or(path);
    }
    let folders = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&folders).map(|folder| folder.join(&called));
    found
        .into_iter()
        .find(|path| path.is_file())
        .or_else(|| env::current_exe().ok())
        .unwrap_or(path)
}
