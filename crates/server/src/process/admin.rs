//! The socket beside the pid file: what a server is asked over it, and its answers.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long a client may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a client waits for an answer.
const LONGEST: Duration = Duration::from_mins(3);

/// What a server can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// How it is.
    Status,
    /// The log that it keeps in memory.
    Log,
    /// To take up the configuration anew.
    Reload,
    /// To give its place to the program that lies where it lay.
    Upgrade,
    /// To end when the answers that are being sent are sent.
    Quit,
    /// Which servers a group has, or to change them: the words behind the command.
    Upstream(Vec<String>),
}

/// The longest request, in bytes.
const MOST: u64 = 4096;

impl Request {
    const ALL: [(&'static str, Self); 6] = [
        ("status", Self::Status),
        ("log", Self::Log),
        ("reload", Self::Reload),
        ("upgrade", Self::Upgrade),
        ("quit", Self::Quit),
        ("upstream", Self::Upstream(Vec::new())),
    ];

    /// What this word asks.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, request)| request.clone())
    }

    /// What a line asks: a word, and perhaps others behind it, with tabs between them.
    fn of_line(line: &str) -> Option<Self> {
        let mut words = line.split('\t');
        let request = Self::of(words.next()?)?;
        let words: Vec<String> = words.map(str::to_owned).collect();
        match request {
            Self::Upstream(_) => Some(Self::Upstream(words)),
            request => Some(request).filter(|_| words.is_empty()),
        }
    }

    /// The line that asks it.
    fn line(&self) -> Result<String> {
        let is_same = |known: &Self| std::mem::discriminant(known) == std::mem::discriminant(self);
        let word = Self::ALL.iter().find(|(_, request)| is_same(request)).map(|(word, _)| *word);
        let mut line = word.unwrap_or_default().to_owned();
        if let Self::Upstream(words) = self {
            if words.iter().any(|word| word.contains(char::is_control)) {
                bail!("a word has a control character");
            }
            line.extend(words.iter().flat_map(|word| ["\t", word]));
        }
        line.push('\n');
        if line.len() as u64 > MOST {
            bail!("that is more than {MOST} bytes");
        }
        Ok(line)
    }

    /// Whether the configuration that lies there is to be used for it.
    pub(crate) fn takes_up_configuration(&self) -> bool {
        matches!(self, Self::Reload | Self::Upgrade)
    }

    /// What the log says of it before anything is done.
    pub(super) fn told(&self) -> Option<&'static str> {
        match self {
            Self::Status | Self::Log | Self::Upstream(_) => None,
            Self::Reload => Some("asked to reload, reconfiguring"),
            Self::Upgrade => Some("asked to upgrade, changing binary"),
            Self::Quit => Some("asked to quit, shutting down"),
        }
    }
}

/// What came of it: a text for people.
pub(super) type Answer = Result<String, String>;

/// A request that waits for its answer.
pub(super) struct Ask {
    /// What is wanted.
    pub(super) request: Request,
    /// Where the answer goes.
    pub(super) answer: oneshot::Sender<Answer>,
    /// Closed when the answer has gone out.
    pub(super) said: oneshot::Receiver<()>,
}

/// The open socket; its path goes with it.
pub(super) struct Admin {
    path: PathBuf,
    identity: Option<(u64, u64)>,
    /// Until somebody takes it.
    asks: Option<UnboundedReceiver<Ask>>,
    task: JoinHandle<()>,
}

impl Admin {
    /// Opens the socket beside a pid file; within a runtime.
    pub(super) fn open(pid: &Path) -> Result<Self> {
        let path = beside(pid);
        if UnixStream::connect(&path).is_err() {
            // A killed server leaves it behind.
            let _ = fs::remove_file(&path);
        }
        let failed = || format!("bind() to unix:{} failed", path.display());
        let listener = UnixListener::bind(&path).with_context(failed)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).with_context(failed)?;
        let (sender, asks) = unbounded_channel();
        let task = tokio::spawn(accept(listener, sender));
        Ok(Self { identity: identity(&path), path, asks: Some(asks), task })
    }

    /// Where requests come from; to be taken once.
    pub(super) fn asks(&mut self) -> Option<UnboundedReceiver<Ask>> {
        self.asks.take()
    }

    /// Goes where the pid file has gone.
    pub(super) fn follow(&mut self, pid: &Path) {
        let path = beside(pid);
        if fs::rename(&self.path, &path).is_ok() {
            self.path = path;
        }
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.task.abort();
        if self.identity.is_some() && identity(&self.path) == self.identity {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|meta| (meta.dev(), meta.ino()))
}

fn beside(pid: &Path) -> PathBuf {
    let mut path = pid.as_os_str().to_owned();
    path.push(".sock");
    path.into()
}

/// Takes those who ask. A descriptor is held back for one of them: where there is no other left, it
/// must be possible to ask, and to be told so.
async fn accept(listener: UnixListener, asks: UnboundedSender<Ask>) {
    let hold = || File::open("/dev/null").ok();
    let spare = Arc::new(Mutex::new(hold()));
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (asks, spare) = (asks.clone(), Arc::clone(&spare));
                tokio::spawn(async move {
                    serve(stream, asks).await;
                    let back = lock(&spare).take().or_else(hold);
                    *lock(&spare) = back;
                });
            }
            // Whoever asks takes its place.
            Err(_) if lock(&spare).take().is_some() => {}
            Err(_) => tokio::time::sleep(Duration::from_millis(500)).await,
        }
    }
}

fn lock(spare: &Mutex<Option<File>>) -> MutexGuard<'_, Option<File>> {
    spare.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One request and its answer: a line; `ok` or `failed` in a line, and a text.
async fn serve(stream: tokio::net::UnixStream, asks: UnboundedSender<Ask>) -> Option<()> {
    let peer = stream.peer_cred().ok()?.uid();
    let own = rustix::process::geteuid().as_raw();
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    timeout(PATIENCE, (&mut stream).take(MOST).read_line(&mut line)).await.ok()?.ok()?;
    let (_saying, said) = oneshot::channel();
    let answer = match Request::of_line(line.trim_end_matches(['\r', '\n'])) {
        _ if peer != 0 && peer != own => Err("only the server's own user and root may ask".into()),
        None => Err(format!("unknown request \"{}\"", line.trim())),
        Some(request) => {
            let (answer, wait) = oneshot::channel();
            asks.send(Ask { request, answer, said }).ok()?;
            wait.await.unwrap_or_else(|_| Err("the server ends".to_owned()))
        }
    };
    let text = match answer {
        Ok(text) => format!("ok\n{text}"),
        Err(text) => format!("failed\n{text}"),
    };
    timeout(PATIENCE, stream.write_all(text.as_bytes())).await.ok()?.ok()
}

/// Asks the server of a pid file; `None` where nobody answers there.
pub(crate) fn ask(request: &Request, pid: &Path) -> Result<Option<String>> {
    let line = request.line()?;
    let Ok(mut stream) = UnixStream::connect(beside(pid)) else { return Ok(None) };
    stream.set_read_timeout(Some(LONGEST))?;
    let mut text = String::new();
    stream
        .write_all(line.as_bytes())
        .and_then(|()| stream.read_to_string(&mut text))
        .context("the server does not answer")?;
    match text.split_once('\n') {
        Some(("ok", text)) => Ok(Some(text.to_owned())),
        Some((_, text)) => bail!("{text}"),
        None => bail!("the server has closed the connection without an answer"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_gets_its_answer() {
        let words = || ["app", "add", "127.0.0.1:1 weight=2"].map(str::to_owned).to_vec();
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("nginx.pid");
        let mut admin = Admin::open(&pid).unwrap();
        let mut asks = admin.asks().unwrap();
        let client = std::thread::spawn({
            let pid = pid.clone();
            move || (ask(&Request::Status, &pid), ask(&Request::Upstream(words()), &pid))
        });
        let first = asks.recv().await.unwrap();
        assert_eq!(first.request, Request::Status);
        first.answer.send(Ok("all is well".into())).unwrap();
        let second = asks.recv().await.unwrap();
        assert_eq!(second.request, Request::Upstream(words()));
        second.answer.send(Err("no".into())).unwrap();
        let (status, change) =
            tokio::task::spawn_blocking(|| client.join().unwrap()).await.unwrap();
        assert_eq!(status.unwrap().as_deref(), Some("all is well"));
        assert_eq!(change.unwrap_err().to_string(), "no");
        drop(admin);
        assert!(ask(&Request::Status, &pid).unwrap().is_none());
        assert!(!beside(&pid).exists());
    }
}
