//! Groups of two applications of each kind, the servers in front of them, and what an operator does.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::clients::{Asking, Window};
use super::{Change, KINDS};
use crate::apps::application::{self, Application, At, Files, Runner};
use crate::harness::{Tidegate, eventually};

/// How long requests wait: applications start slowly where much else goes on.
pub const WAIT: Duration = Duration::from_secs(30);

/// The servers, the first of which is tidegate, and the applications behind them.
pub struct Site {
    servers: Vec<Tidegate>,
    /// By kind, two each.
    apps: Vec<[Running; 2]>,
    /// Where their sockets are.
    _files: Files,
    version: u32,
}

/// An application with what is needed to start it again.
struct Running {
    kind: usize,
    app: Application,
    files: Files,
}

impl Site {
    /// Starts all of it.
    pub async fn start(others: &[&Path]) -> Self {
        let files = Files::none();
        let mut apps = Vec::new();
        for (kind, (_, _, socket)) in KINDS.iter().enumerate() {
            let at = |name| if *socket { files.socket(name) } else { At::free_port() };
            let (one, two) = tokio::join!(
                Running::new(kind, at("one.sock")),
                Running::new(kind, at("two.sock"))
            );
            apps.push([one, two]);
        }
        let mut site = Self { servers: Vec::new(), apps, _files: files, version: 0 };
        site.servers.push(Tidegate::start(&site.conf(true, None)).await);
        for binary in others {
            let start = Tidegate::start(&site.conf(false, None)).with_binary(binary);
            site.servers.push(start.await);
        }
        site
    }

    /// The configuration, in which one of each two may be down.
    fn conf(&self, is_ours: bool, down: Option<usize>) -> String {
        let params = concat!("include ", env!("CARGO_MANIFEST_DIR"), "/../../conf/uwsgi_params;");
        let again = "next_upstream error timeout non_idempotent;";
        let mut places = String::new();
        for (kind, apps) in self.apps.iter().enumerate() {
            let pass = match KINDS[kind].0 {
                Runner::Uwsgi => format!("{params} uwsgi_pass app{kind};"),
                _ => format!("proxy_pass http://app{kind};"),
            };
            let servers = apps.iter().enumerate().map(|(number, running)| {
                let down = if down == Some(number) { " down" } else { "" };
                format!("server {}{down};", running.app.at)
            });
            places += &format!(
                "upstream app{kind} {{ {} }}
                 server {{
                     listen 127.0.0.1:{};
                     location / {{ {pass} }}
                     location /again {{ proxy_{again} uwsgi_{again} {pass} }}
                     location = /version {{ return 200 {}; }}
                 }}\n",
                servers.collect::<String>(),
                8080 + kind,
                self.version
            );
        }
        let logs = "access_log off; error_log logs/error.log info;";
        let wait = format!("upstream_wait {}s;", WAIT.as_secs());
        let wait = if is_ours { &wait } else { "" };
        format!("events {{ worker_connections 4096; }} http {{ {logs} {wait} {places} }}")
    }

    /// Clients of all kinds of applications by all servers.
    pub fn asked(&self, rate: u32) -> Vec<Vec<Asking>> {
        let of_kind = |kind: usize| {
            let port = 8080 + kind as u16;
            self.servers.iter().map(|server| Asking::begin(server.at(port), rate)).collect()
        };
        (0..KINDS.len()).map(of_kind).collect()
    }

    /// Does it to all kinds at a time: when applications went away, by kind.
    pub async fn change(&mut self, change: Change) -> Vec<Vec<Window>> {
        match change {
            Change::Reloaded => {
                let before: Vec<usize> = self.apps.iter().flatten().map(Running::loads).collect();
                for running in self.apps.iter().flatten() {
                    running.app.signal(Signal::HUP);
                }
                for (running, before) in self.apps.iter().flatten().zip(before) {
                    eventually("it is loaded anew", || async { running.loads() > before }).await;
                }
                vec![Vec::new(); KINDS.len()]
            }
            Change::Replaced => {
                let mut windows = vec![Vec::new(); KINDS.len()];
                for number in 0..2 {
                    self.reload(Some(number)).await;
                    let gone = self.restart(&[number], Signal::TERM).await;
                    windows.iter_mut().zip(gone).for_each(|(all, gone)| all.extend(gone));
                }
                self.reload(None).await;
                windows
            }
            Change::OneKilled => self.restart(&[0], Signal::KILL).await,
            Change::Restarted => self.restart(&[0, 1], Signal::TERM).await,
            Change::Killed => self.restart(&[0, 1], Signal::KILL).await,
        }
    }

    /// Ends these of each two, and starts them again.
    async fn restart(&mut self, numbers: &[usize], signal: Signal) -> Vec<Vec<Window>> {
        let mut tasks = JoinSet::new();
        let mut kept: Vec<Vec<Option<Running>>> = Vec::new();
        for (kind, pair) in std::mem::take(&mut self.apps).into_iter().enumerate() {
            kept.push(vec![None, None]);
            for (number, running) in pair.into_iter().enumerate() {
                if numbers.contains(&number) {
                    tasks.spawn(async move { (kind, number, running.again(signal).await) });
                } else {
                    kept[kind][number] = Some(running);
                }
            }
        }
        let mut windows = vec![Vec::new(); KINDS.len()];
        for (kind, number, (running, window)) in tasks.join_all().await {
            kept[kind][number] = Some(running);
            windows[kind].push(window);
        }
        let whole = |pair: Vec<Option<Running>>| -> [Running; 2] {
            let pair: Vec<Running> = pair.into_iter().flatten().collect();
            pair.try_into().ok().expect("both are back")
        };
        self.apps = kept.into_iter().map(whole).collect();
        windows
    }

    /// Lets the servers go by another configuration, and waits until nothing is asked of those that
    /// are down.
    async fn reload(&mut self, down: Option<usize>) {
        self.version += 1;
        let confs = [self.conf(true, down), self.conf(false, down)];
        let version = self.version.to_string();
        for (place, server) in self.servers.iter_mut().enumerate() {
            server.reload(&confs[place.min(1)]);
            let server = &*server;
            let is_new = || async { server.get("/version").await.text() == version };
            eventually("the configuration holds", is_new).await;
        }
        let Some(ours) = self.servers.first().filter(|_| down.is_some()) else { return };
        eventually("those that are down have nothing to do", || async {
            let output = ours.command(&["status"]);
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let idle = text.matches(" down, 0 connections").count();
            idle == KINDS.len()
        })
        .await;
        if self.servers.len() > 1 {
            // nginx does not say; an answer takes some milliseconds.
            sleep(Duration::from_secs(1)).await;
        }
    }
}

impl Running {
    async fn new(kind: usize, at: At) -> Self {
        let files = Files::none();
        let app = launch(&files, kind, at).await;
        Self { kind, app, files }
    }

    /// How often its code has been loaded, as its log says.
    fn loads(&self) -> usize {
        let log = self.app.log();
        log.matches("Booting worker").count() + log.matches("spawned uWSGI worker 1 ").count()
    }

    /// Ends it by a signal, and starts it again.
    async fn again(self, signal: Signal) -> (Self, Window) {
        let Self { kind, mut app, files } = self;
        let from = Instant::now();
        let at = if signal == Signal::KILL {
            app.kill().await
        } else {
            app.signal(signal);
            app.ends().await;
            app.at.clone()
        };
        let window = (from, Instant::now());
        let app = launch(&files, kind, at).await;
        (Self { kind, app, files }, window)
    }
}

async fn launch(files: &Files, kind: usize, at: At) -> Application {
    let runner = KINDS[kind].0;
    let hook = "unix_signal:15 gracefully_kill_them_all";
    // When it reloads, uWSGI runs what runs it, and that is Python here.
    let python = application::program("python").display().to_string();
    let (module, arguments) = match runner {
        Runner::Uwsgi => ("deploy", vec!["--binary-path", &python, "--hook-master-start", hook]),
        _ => ("deploy:application", Vec::new()),
    };
    files.run_with((runner, &arguments), module, at, "app").await
}
