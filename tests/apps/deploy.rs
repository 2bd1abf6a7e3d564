//! Applications that are reloaded, replaced and killed while clients ask all the time.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::application::{self, Application, At, Files, Runner};
use crate::harness::ask::Ask;
use crate::harness::client::Client;
use crate::harness::{Tidegate, process};

/// How long requests wait: applications start slowly where much else goes on.
const WAIT: Duration = Duration::from_secs(30);

/// How an application goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// SIGHUP: it loads its code anew and goes on listening.
    Reloaded,
    /// SIGTERM: it ends what it is doing; another one is started at its place.
    Replaced,
    /// SIGKILL: it is gone at once; another one is started at its place.
    Killed,
}

/// What came of the requests of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    answered: u32,
    failed: u32,
}

/// What clients saw of one place.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    gets: Counts,
    posts: Counts,
    /// Those of a location that lets them be sent twice: `*_next_upstream … non_idempotent`.
    repeatable: Counts,
}

const KINDS: [(Runner, &str, bool); 3] = [
    (Runner::Uwsgi, "uWSGI, TCP", false),
    (Runner::Uwsgi, "uWSGI, unix socket", true),
    (Runner::Gunicorn, "gunicorn, TCP", false),
];

#[tokio::test]
async fn no_client_sees_an_error_while_applications_restart() {
    if !process::is_ours() {
        return;
    }
    let changes = [Change::Reloaded, Change::Replaced, Change::Killed];
    let seen = restart(&changes, Duration::from_millis(1500), 60, &[]).await;
    for (kind, seen) in KINDS.iter().zip(&seen) {
        for (change, seen) in changes.iter().zip(&seen[0]) {
            let failed = seen.gets.failed + seen.repeatable.failed;
            assert_eq!(failed, 0, "{kind:?} {change:?} {seen:?}");
            // A POST that was sent and lost is not sent again, unless that is allowed.
            let is_lossless = *change == Change::Reloaded;
            assert!(seen.posts.failed == 0 || !is_lossless, "{kind:?} {change:?} {seen:?}");
            assert!(seen.gets.answered > 5 && seen.posts.answered > 5, "{seen:?}");
        }
    }
}

/// The long form, beside nginx: `tests/deploy`. It prints what the documentation says.
#[tokio::test]
#[ignore = "two minutes"]
async fn two_minutes_of_restarts() {
    use Change::{Killed, Reloaded, Replaced};
    let changes = [
        Reloaded, Replaced, Killed, Reloaded, Replaced, Killed, Reloaded, Replaced, Killed, Killed,
    ];
    let oracle = crate::oracle::nginx::oracle().expect("nginx");
    let seen = restart(&changes, Duration::from_secs(12), 67, &[&oracle.binary]).await;
    let mut table = String::from(
        "| | | GET | failed | POST | failed | POST, `non_idempotent` | failed |\n|---|---|---|---|---|---|---|---|\n",
    );
    for (kind, seen) in KINDS.iter().zip(&seen) {
        for (server, seen) in ["tidegate", "nginx"].iter().zip(seen) {
            for change in [Reloaded, Replaced, Killed] {
                let mut sum = Seen::default();
                for (_, seen) in changes.iter().zip(seen).filter(|(one, _)| **one == change) {
                    sum.gets.add(seen.gets);
                    sum.posts.add(seen.posts);
                    sum.repeatable.add(seen.repeatable);
                }
                let columns =
                    [sum.gets, sum.posts, sum.repeatable].map(Counts::columns).join(" | ");
                let _ = writeln!(table, "| {}, {change:?} | {server} | {columns} |", kind.1);
            }
        }
    }
    println!("{table}");
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.failed += other.failed;
    }

    fn columns(self) -> String {
        format!("{} | {}", self.answered + self.failed, self.failed)
    }
}

/// Runs all kinds side by side behind tidegate and the others: what was seen, by kind, by server,
/// by change.
async fn restart(
    changes: &[Change],
    each: Duration,
    rate: u32,
    others: &[&Path],
) -> Vec<Vec<Vec<Seen>>> {
    let files = Files::none();
    let mut apps = Vec::new();
    let mut places = String::new();
    for (number, (runner, _, socket)) in KINDS.iter().enumerate() {
        let at = if *socket { files.socket("app.sock") } else { At::free_port() };
        let port = 8080 + number;
        let pass = match runner {
            Runner::Uwsgi => {
                let params = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conf/uwsgi_params");
                format!("include {params}; uwsgi_pass {at};")
            }
            _ => format!("proxy_pass http://{at};"),
        };
        let again = "next_upstream error timeout non_idempotent;";
        places += &format!(
            "server {{
                 listen 127.0.0.1:{port};
                 location / {{ {pass} }}
                 location /again {{ proxy_{again} uwsgi_{again} {pass} }}
             }}\n"
        );
        let files = Files::none();
        let app = launch(&files, number, at).await;
        apps.push(Running { number, app, files });
    }
    let framed = |wait: &str| {
        let logs = "access_log off; error_log logs/error.log info;";
        format!("events {{ worker_connections 4096; }} http {{ {logs} {wait} {places} }}")
    };
    let waits = Tidegate::start(&framed(&format!("upstream_wait {}s;", WAIT.as_secs()))).await;
    let mut servers = vec![waits];
    for binary in others {
        servers.push(Tidegate::start(&framed("")).with_binary(binary).await);
    }
    let mut kinds = JoinSet::new();
    for app in apps {
        let port = 8080 + app.number as u16;
        let clients: Vec<Client> = servers.iter().map(|server| server.at(port)).collect();
        kinds.spawn(one_kind(app, clients, changes.to_vec(), each, rate));
    }
    let mut all: Vec<_> = kinds.join_all().await;
    all.sort_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, seen)| seen).collect()
}

/// An application with what is needed to start it again.
struct Running {
    number: usize,
    app: Application,
    files: Files,
}

async fn launch(files: &Files, number: usize, at: At) -> Application {
    let runner = KINDS[number].0;
    let hook = "unix_signal:15 gracefully_kill_them_all";
    // When it reloads, uWSGI runs what runs it, and that is Python here.
    let python = application::program("python").display().to_string();
    let (module, arguments) = match runner {
        Runner::Uwsgi => {
            let own = ["--processes", "2", "--binary-path", &python, "--hook-master-start", hook];
            ("deploy", own.to_vec())
        }
        _ => ("deploy:application", vec!["--workers", "2"]),
    };
    files.run_with((runner, &arguments), module, at, &format!("app{number}")).await
}

async fn one_kind(
    running: Running,
    clients: Vec<Client>,
    changes: Vec<Change>,
    each: Duration,
    rate: u32,
) -> (usize, Vec<Vec<Seen>>) {
    let Running { number, mut app, files } = running;
    let mut seen = vec![Vec::new(); clients.len()];
    for change in changes {
        let stop = Arc::new(AtomicBool::new(false));
        let asking: Vec<JoinHandle<Seen>> =
            clients.iter().map(|client| tokio::spawn(ask(*client, rate, stop.clone()))).collect();
        sleep(each / 3).await;
        app = match change {
            Change::Reloaded => {
                app.signal(Signal::HUP);
                app
            }
            Change::Replaced => {
                app.signal(Signal::TERM);
                app.ends().await;
                launch(&files, number, app.at.clone()).await
            }
            Change::Killed => {
                let at = app.kill().await;
                launch(&files, number, at).await
            }
        };
        sleep(each * 2 / 3).await;
        stop.store(true, Ordering::Relaxed);
        for (seen, asking) in seen.iter_mut().zip(asking) {
            seen.push(asking.await.expect("clients end"));
        }
    }
    (number, seen)
}

/// Asks so many times a second, by GET and by POST, whether or not answers have come.
async fn ask(client: Client, rate: u32, stop: Arc<AtomicBool>) -> Seen {
    let body = "x".repeat(2000);
    let (post, again) = (format!("POST /posted || {body}"), format!("POST /again || {body}"));
    let asks = ["GET /got", &post, &again].map(str::to_owned);
    let mut ticks = interval(Duration::from_secs(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut asked: JoinSet<(usize, bool)> = JoinSet::new();
    let mut kinds = (0..asks.len()).cycle();
    while !stop.load(Ordering::Relaxed) {
        ticks.tick().await;
        let kind = kinds.next().unwrap_or(0);
        let ask = asks[kind].clone();
        asked.spawn(async move {
            let ask = Ask::of(&ask);
            let mut connection = client.connect().await.with_patience(WAIT * 2);
            connection.send(&ask.bytes).await;
            let answer = connection.answer_to(&ask.method).await;
            let expected = if kind == 0 { "got" } else { "2000" };
            (kind, answer.status == 200 && answer.text() == expected)
        });
    }
    let mut seen = Seen::default();
    for (kind, answered) in asked.join_all().await {
        let counts = match kind {
            0 => &mut seen.gets,
            1 => &mut seen.posts,
            _ => &mut seen.repeatable,
        };
        counts.add(Counts { answered: answered.into(), failed: (!answered).into() });
    }
    seen
}
