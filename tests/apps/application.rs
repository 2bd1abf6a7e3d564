//! Applications of `tests/apps` under uWSGI and gunicorn, for as long as the values live.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

use crate::harness::config::Ports;
use crate::harness::eventually;

/// What runs an application, and what it speaks to the server in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    /// uWSGI by `socket`: the uwsgi protocol.
    Uwsgi,
    /// uWSGI by `http-socket`: HTTP.
    UwsgiHttp,
    /// gunicorn: HTTP.
    Gunicorn,
    /// gunicorn by `protocol = uwsgi`.
    GunicornUwsgi,
    /// Hypercorn: HTTP/1.1 and HTTP/2.
    Hypercorn,
    /// The application is a program that listens by itself: HTTP.
    Itself,
}

/// Where an application listens.
#[derive(Clone, Debug)]
pub enum At {
    /// A port of this machine.
    Port(u16),
    /// A unix socket.
    Socket(PathBuf),
}

/// A running application.
#[derive(Debug)]
pub struct Application {
    /// Where it listens.
    pub at: At,
    child: Child,
    log: PathBuf,
}

/// The folder in which an application's files are collected and uploaded.
#[derive(Debug)]
pub struct Files {
    folder: TempDir,
}

impl Files {
    /// A new folder with nothing in it.
    pub fn none() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder") }
    }

    /// Runs Django's `collectstatic` into a new folder.
    pub fn collected() -> Self {
        let files = Self::none();
        let output = tool("python")
            .args(["-m", "django", "collectstatic", "--noinput", "--settings", "gallery.settings"])
            .env("GALLERY_ROOT", files.path())
            .output()
            .expect("python runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::create_dir(files.path().join("media")).expect("a folder");
        files
    }

    /// The folder; `static` and `media` are in it.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Starts an application, called by the name of the instance, and waits for it to listen.
    pub async fn run(&self, runner: Runner, module: &str, at: At, instance: &str) -> Application {
        self.run_with((runner, &[]), module, at, instance).await
    }

    /// The same, with more arguments for what runs it.
    pub async fn run_with(
        &self,
        (runner, arguments): (Runner, &[&str]),
        module: &str,
        at: At,
        instance: &str,
    ) -> Application {
        let log = self.path().join(format!("{instance}.log"));
        let output = File::create(&log).expect("a log");
        let child = command(runner, module, &at)
            .args(arguments)
            .env("GALLERY_ROOT", self.path())
            .env("INSTANCE", instance)
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output)
            .process_group(0)
            .spawn()
            .expect("the application starts");
        let mut application = Application { at, child, log };
        application.listens().await;
        application
    }

    /// A unix socket in the folder.
    pub fn socket(&self, name: &str) -> At {
        At::Socket(self.path().join(name))
    }
}

impl At {
    /// A port nobody listens on.
    pub fn free_port() -> Self {
        Self::Port(Ports::default().real(8000))
    }

    /// As the configuration of uWSGI writes it.
    fn bare(&self) -> String {
        match self {
            Self::Port(port) => format!("127.0.0.1:{port}"),
            Self::Socket(path) => path.display().to_string(),
        }
    }

    async fn answers(&self) -> bool {
        match self {
            Self::Port(port) => tokio::net::TcpStream::connect(("127.0.0.1", *port)).await.is_ok(),
            Self::Socket(path) => tokio::net::UnixStream::connect(path).await.is_ok(),
        }
    }
}

/// As nginx's configuration writes it.
impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Port(_) => f.write_str(&self.bare()),
            Self::Socket(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Application {
    /// What it printed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends it at once, as a crash would; its socket is left behind.
    pub async fn kill(mut self) -> At {
        self.end(Signal::KILL);
        // Its workers go a moment later than their master, which alone is waited for.
        eventually("nobody listens", || async { !self.at.answers().await }).await;
        self.at.clone()
    }

    /// Sends a signal to its first process alone.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it can be signalled");
    }

    /// Waits until its first process has ended.
    pub async fn ends(&mut self) {
        let end = Instant::now() + Duration::from_secs(20);
        while matches!(self.child.try_wait(), Ok(None)) {
            assert!(Instant::now() < end, "it does not end:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn listens(&mut self) {
        let end = Instant::now() + Duration::from_secs(20);
        while !self.at.answers().await {
            let ended = self.child.try_wait().expect("it can be waited for");
            assert!(ended.is_none() && Instant::now() < end, "not started:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn end(&mut self, signal: Signal) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill_process_group(Pid::from_child(&self.child), signal);
            let _ = self.child.wait();
        }
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("---------- {}\n{}", self.log.display(), self.log());
        }
        self.end(Signal::KILL);
    }
}

fn command(runner: Runner, module: &str, at: &At) -> Command {
    let bare = at.bare();
    let mut command = match runner {
        Runner::Uwsgi | Runner::UwsgiHttp => tool("uwsgi"),
        Runner::Gunicorn | Runner::GunicornUwsgi => tool("gunicorn"),
        Runner::Itself | Runner::Hypercorn => tool("python"),
    };
    match runner {
        Runner::Uwsgi => command.args(["--socket", &bare]),
        Runner::UwsgiHttp => command.args(["--http-socket", &bare]),
        Runner::Gunicorn => command.args(["--bind", &at.to_string()]),
        Runner::GunicornUwsgi => command.args(["--protocol", "uwsgi", "--bind", &at.to_string()]),
        Runner::Hypercorn => command.args(["-m", "hypercorn", "--bind", &bare, module]),
        Runner::Itself => command.arg(folder().join(module)).args(bare.split(':')),
    };
    match runner {
        Runner::Uwsgi | Runner::UwsgiHttp => command
            .args(["--module", module, "--master", "--need-app", "--die-on-term"])
            .args(["--processes", "1", "--threads", "2"]),
        Runner::Gunicorn | Runner::GunicornUwsgi => {
            command.args(["--workers", "1", "--no-control-socket", module])
        }
        Runner::Itself | Runner::Hypercorn => &mut command,
    };
    command
}

/// Where a program of the environment is that `tests/setup.sh` makes.
pub fn program(name: &str) -> PathBuf {
    folder().join("../../target/python/bin").join(name)
}

pub fn tool(name: &str) -> Command {
    let program = program(name);
    assert!(program.exists(), "no {}: run tests/setup.sh", program.display());
    let mut command = Command::new(program);
    command.current_dir(folder()).env("PYTHONPATH", folder()).stdin(Stdio::null());
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/apps")
}
