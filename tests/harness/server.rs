//! The server under test, in a temporary folder, for as long as the value lives.

use std::future::{Future, IntoFuture};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Output;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::net::UnixStream;

use super::client::Client;
use super::config::{self, Ports};
use super::file::write;
use super::process::{self, Process};
use super::tls;
use super::{DEADLINE, eventually};

/// A running server; asks of it go to its first `listen`.
#[derive(Debug)]
pub struct Tidegate {
    folder: PathBuf,
    process: Process,
    client: Client,
    ports: Ports,
    is_ours: bool,
    _owned: Option<TempDir>,
}

/// What is to be started; awaiting it starts it.
#[derive(Debug)]
pub struct Start {
    conf: String,
    files: Vec<(PathBuf, Vec<u8>)>,
    ports: Ports,
    binary: PathBuf,
    folder: Option<PathBuf>,
}

impl Tidegate {
    /// A server with this configuration, started when awaited.
    pub fn start(conf: &str) -> Start {
        Start {
            conf: conf.to_owned(),
            files: Vec::new(),
            ports: Ports::default(),
            binary: process::binary(),
            folder: None,
        }
    }

    /// A client of another port of the configuration.
    pub fn at(&self, named: u16) -> Client {
        Client::of_port(self.port(named))
    }

    /// The real port behind one of the configuration.
    pub fn port(&self, named: u16) -> u16 {
        self.ports.clone().real(named)
    }

    /// Where everything of this server is: the prefix.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What a file of the prefix holds now; empty where there is none.
    pub fn read(&self, path: &str) -> String {
        let bytes = std::fs::read(self.folder.join(path)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The error log so far.
    pub fn error_log(&self) -> String {
        self.read("logs/error.log")
    }

    /// The access log once it has this many lines.
    pub async fn access_log(&self, lines: usize) -> Vec<String> {
        let read = || self.read("logs/access.log").lines().map(str::to_owned).collect::<Vec<_>>();
        eventually("the access log's lines", || async { read().len() >= lines }).await;
        read()
    }

    /// Waits until the error log says this.
    pub async fn logs(&self, words: &str) {
        eventually(&format!("the error log says {words:?}"), || async {
            self.error_log().contains(words)
        })
        .await;
    }

    /// Puts a file under `html`, as [`Start::with_file`] does.
    pub fn put_file(&self, path: &str, content: impl AsRef<[u8]>) {
        write(&self.folder.join("html").join(path), content.as_ref());
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Writes another configuration, with the same ports, and asks for it by a hangup.
    pub fn reload(&mut self, conf: &str) {
        self.put_conf(conf);
        self.signal(Signal::HUP);
    }

    /// Writes another configuration, with the same ports.
    pub fn put_conf(&mut self, conf: &str) {
        let text = config::framed(&self.ports.put_into(conf), process::is_ours());
        std::fs::write(self.folder.join("nginx.conf"), text).expect("a configuration");
    }

    /// Chooses the port behind one that a later configuration will name.
    pub fn name_port(&mut self, named: u16) -> u16 {
        self.ports.real(named)
    }

    /// The process id.
    pub fn pid(&self) -> i32 {
        self.process.pid().as_raw_pid()
    }

    /// Runs the binary again, in the same folder with the same configuration, and other arguments.
    pub fn command(&self, arguments: &[&str]) -> Output {
        process::command(&process::binary(), &self.folder).args(arguments).output().unwrap()
    }

    /// Waits until the process has ended by itself: its exit code, unless it was by a signal.
    pub async fn ends(&mut self) -> Option<i32> {
        let end = Instant::now() + DEADLINE;
        while self.process.ended().is_none() {
            assert!(Instant::now() < end, "the server did not end");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.process.ended()?.code()
    }

    /// The text with this server's ports and folder named as every other server's.
    pub fn anonymous(&self, text: &str) -> String {
        self.ports.take_out_of(text).replace(&self.folder.display().to_string(), "PREFIX")
    }

    async fn is_ready(&mut self, conf: &str) -> Result<(), String> {
        let ports: Vec<u16> =
            config::listening(conf).into_iter().map(|named| self.ports.real(named)).collect();
        let end = Instant::now() + DEADLINE;
        for port in ports {
            while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                if let Some(status) = self.process.ended() {
                    return Err(format!("the server ended with {status}"));
                }
                if Instant::now() > end {
                    return Err(format!("nobody listens on port {port}"));
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        for socket in config::sockets(conf) {
            eventually("the unix socket is there", || async {
                UnixStream::connect(self.folder.join(&socket)).await.is_ok()
            })
            .await;
        }
        // The ports are there before who serves is; not every program tells.
        let asked = self.is_ours && self.read("nginx.conf").contains("pid nginx.pid;");
        let end = Instant::now() + Duration::from_secs(2);
        while asked
            && !process::answers(&self.folder.join("nginx.pid.sock")).await
            && Instant::now() < end
        {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }
}

impl Deref for Tidegate {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Tidegate {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for file in ["nginx.conf", "logs/output", "logs/error.log", "logs/access.log"] {
                eprintln!("---------- {file}\n{}", self.read(file));
            }
        }
    }
}

impl Start {
    /// Puts a file under `html`, the default root.
    #[must_use]
    pub fn with_file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.with_prefix_file(&format!("html/{path}"), content)
    }

    /// Puts a file under the prefix, beside `nginx.conf`.
    #[must_use]
    pub fn with_prefix_file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.files.push((PathBuf::from(path), content.as_ref().to_owned()));
        self
    }

    /// Puts a certificate for these names, and its key, under the prefix: `cert.pem`, `key.pem`.
    #[must_use]
    pub fn with_certificate(self, names: &[&str]) -> Self {
        let made = tls::certificate(names);
        self.with_prefix_file("cert.pem", made.certificate).with_prefix_file("key.pem", made.key)
    }

    /// Lets a port of the configuration be one that somebody else listens on.
    #[must_use]
    pub fn with_port(mut self, named: u16, real: u16) -> Self {
        self.ports.set(named, real);
        self
    }

    /// The real port that will be behind one of the configuration.
    pub fn port(&mut self, named: u16) -> u16 {
        self.ports.real(named)
    }

    /// Runs another binary.
    #[must_use]
    pub fn with_binary(mut self, binary: &Path) -> Self {
        binary.clone_into(&mut self.binary);
        self
    }

    /// Runs in this folder instead of a temporary one.
    #[must_use]
    pub fn in_folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    /// Runs it to its end instead, as with `-t`: whether that succeeds, and what is printed (ports
    /// as written).
    pub fn check(mut self, arguments: &[&str]) -> (bool, String) {
        let (folder, _owned) = self.laid_out();
        let output = process::command(&self.binary, &folder).args(arguments).output();
        let output = output.expect("the binary can be run");
        let text = [output.stderr, output.stdout].concat();
        let text = self.ports.take_out_of(&String::from_utf8_lossy(&text));
        (output.status.success(), text.replace(&folder.display().to_string(), "PREFIX"))
    }

    fn laid_out(&mut self) -> (PathBuf, Option<TempDir>) {
        let owned = self.folder.is_none().then(|| TempDir::new().expect("a temporary folder"));
        let folder = self.folder.clone().or_else(|| Some(owned.as_ref()?.path().to_owned()));
        let folder = folder.expect("one of the two");
        for directory in ["html", "logs"] {
            std::fs::create_dir_all(folder.join(directory)).expect("a folder");
        }
        for (path, content) in &self.files {
            write(&folder.join(path), content);
        }
        let text =
            config::framed(&self.ports.put_into(&self.conf), process::is_named(&self.binary));
        std::fs::write(folder.join("nginx.conf"), text).expect("a configuration");
        (folder, owned)
    }

    /// Starts it without waiting until it is ready.
    pub fn launch(mut self) -> Tidegate {
        let (folder, owned) = self.laid_out();
        let process = Process::start(&self.binary, &folder);
        let first = config::listening(&self.conf).first().copied().unwrap_or(8080);
        let client = Client::of_port(self.ports.real(first));
        let is_ours = process::is_named(&self.binary);
        Tidegate { folder, process, client, ports: self.ports, is_ours, _owned: owned }
    }

    async fn run(self) -> Tidegate {
        let conf = self.conf.clone();
        let mut server = self.launch();
        if let Err(why) = server.is_ready(&conf).await {
            panic!("{why}");
        }
        server
    }
}

impl IntoFuture for Start {
    type Output = Tidegate;
    type IntoFuture = Pin<Box<dyn Future<Output = Tidegate>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
