//! The process: it opens what needs rights, starts its workers, and acts on signals.

mod daemon;
mod pid;
mod signal;
mod user;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow};
use tidegate_config::block::Http;
use tidegate_config::block::main::WorkerProcesses;
use tidegate_config::http::error_log::Level;
use tidegate_config::{Config, Options, load};
use tidegate_http::log::writer::LogFiles;
use tidegate_http::log::{Logs, ProcessLog};
use tidegate_http::zone::Zones;
use tidegate_proxy::Upstreams;
use tokio::sync::watch;

use crate::listen::{self, Listeners};
use crate::runtime::{Counters, Shared};
use pid::PidFile;
pub(crate) use signal::{Command, send};
use signal::{Signals, Word};
use worker::{Orders, State};

/// What is told of a signal that asks for more than there is.
const NO_UPGRADE: &str = "signal 12 (SIGUSR2) received: another program cannot take over without \
                          an interruption; nothing is done";

/// Where a configuration comes from.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The main file.
    pub(crate) path: PathBuf,
    /// What else is known of it.
    pub(crate) options: Options,
}

/// Runs the server until it is told to end.
pub(crate) fn run(source: &Source, config: Config) -> Result<()> {
    if config.main.process.daemon && !daemon::in_background() {
        return daemon::start();
    }
    // Before anybody can see that it runs: a signal would end it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let signals = {
        let _guard = runtime.enter();
        Signals::new()?
    };
    let http = Arc::clone(&config.http);
    let listeners = listen::open(&http, &Listeners::new())?;
    limit_files(config.main.process.rlimit_nofile);
    let in_background = config.main.process.daemon;
    let shared = build(config, http, None)?;
    let pid = PidFile::write(&shared.config.main.process.pid).with_context(|| {
        format!("open() \"{}\" failed", shared.config.main.process.pid.display())
    })?;
    user::become_user(shared.config.main.process.user.as_deref(), &shared.http.files)?;
    let process = Process::start(source.clone(), shared, listeners)?;
    if in_background {
        daemon::detach()?;
    }
    runtime.block_on(process.follow(signals));
    drop(pid);
    Ok(())
}

/// What all workers share of a configuration; nothing of it is seen before all of it is there.
fn build(config: Config, http: Arc<Http>, before: Option<&Shared>) -> Result<Arc<Shared>> {
    make_log_folder(&http.files);
    user::make_folders(&http.folders, config.main.process.user.as_deref());
    let files = LogFiles::open(&http.files, before.map(|before| &*before.files))
        .map_err(|(path, error)| anyhow!("open() \"{}\" failed ({error})", path.display()))?;
    let upstreams = Upstreams::new(&http, before.map(|before| &*before.upstreams));
    let upstreams = Arc::new(upstreams);
    let zones = Arc::new(Zones::new(&http, before.map(|before| &*before.zones)));
    Ok(Arc::new(Shared { config, http, files: Arc::new(files), upstreams, zones }))
}

/// Makes the folders `logs`, which a fresh prefix lacks. Any other folder must be there.
fn make_log_folder(files: &[PathBuf]) {
    for folder in files.iter().filter_map(|file| file.parent()) {
        if folder.file_name().is_some_and(|name| name == "logs") && !folder.exists() {
            // Where it fails, opening the file tells.
            let _ = std::fs::create_dir(folder);
        }
    }
}

/// `worker_rlimit_nofile`; without it, as many as are allowed.
fn limit_files(wanted: Option<u32>) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    let limit = match wanted {
        Some(number) => {
            let number = u64::from(number);
            Rlimit { current: Some(number), maximum: now.maximum.map(|most| most.max(number)) }
        }
        None => Rlimit { current: now.maximum, maximum: now.maximum },
    };
    // Without the right to raise it, the old one holds, and EMFILE is told when it comes to that.
    let _ = setrlimit(Resource::Nofile, limit);
}

struct Process {
    source: Source,
    orders: watch::Sender<Orders>,
    workers: Vec<JoinHandle<()>>,
    logs: Logs,
}

impl Process {
    fn start(source: Source, shared: Arc<Shared>, listeners: Listeners) -> Result<Self> {
        let logs = Logs::new(&shared.config, Arc::clone(&shared.files));
        tell_left_out(&logs, &shared.http);
        tell_panics(ProcessLog::new(&shared.config, Arc::clone(&shared.files)));
        let count = worker_count(shared.config.main.process.worker_processes);
        let listeners = Arc::new(listeners);
        let (orders, follow) = watch::channel(Orders { shared, listeners, state: State::Running });
        let counters = Arc::new(Counters::default());
        let mut workers = Vec::new();
        for number in 0..count {
            let (follow, counters) = (follow.clone(), Arc::clone(&counters));
            let thread = std::thread::Builder::new().name(format!("worker {number}"));
            let handle = thread.spawn(move || {
                // A worker that cannot have a runtime cannot tell either; the process is told by
                // the end of its thread.
                let _ = worker::run(follow, &counters);
            });
            workers.push(handle.context("a worker cannot be started")?);
        }
        Ok(Self { source, orders, workers, logs })
    }

    /// Acts on signals until the workers have ended.
    async fn follow(mut self, mut signals: Signals) {
        loop {
            match signals.next().await {
                Word::Stop => {
                    self.order(State::Stopping);
                    break;
                }
                Word::Quit => {
                    self.order(State::Draining);
                    if self.drained(&mut signals).await {
                        break;
                    }
                }
                Word::Reload => self.reload(),
                Word::Reopen => self.reopen(),
                // Not caught, it would end the server.
                Word::Upgrade => self.logs.tell(Level::Error, NO_UPGRADE),
            }
        }
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
        self.logs.writer.flush();
    }

    /// Orders the workers to end; new clients are refused from now on.
    fn order(&self, state: State) {
        listen::remove_paths(self.orders.borrow().listeners.keys());
        self.orders.send_modify(|orders| {
            orders.state = state;
            orders.listeners = Arc::default();
        });
    }

    /// Waits until the workers have ended, or another signal says so now.
    async fn drained(&self, signals: &mut Signals) -> bool {
        let ended = async {
            while !self.workers.iter().all(JoinHandle::is_finished) {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            () = ended => {}
            () = signals.stop() => self.order(State::Stopping),
        }
        true
    }

    /// Takes up the configuration anew. Where anything is wrong, nothing changes.
    fn reload(&mut self) {
        self.logs.tell(Level::Notice, "signal 1 (SIGHUP) received, reconfiguring");
        match self.renewed() {
            Ok(orders) => {
                self.logs = Logs::new(&orders.shared.config, Arc::clone(&orders.shared.files));
                let before = Arc::clone(&self.orders.borrow().listeners);
                let gone = before.keys().filter(|address| !orders.listeners.contains_key(*address));
                listen::remove_paths(gone);
                tell_left_out(&self.logs, &orders.shared.http);
                let now = Arc::clone(&self.orders.borrow().shared);
                for name in only_at_start(&now.config, &orders.shared.config) {
                    let text = format!("\"{name}\" has changed, which takes a restart");
                    self.logs.tell(Level::Warn, &text);
                }
                self.orders.send_replace(orders);
                self.logs.tell(Level::Notice, "the new configuration holds");
            }
            Err(error) => {
                // Of what -t says, the lines that name a fault; the excerpts are for a terminal.
                let text = format!("{error:#}");
                let faults: Vec<&str> =
                    text.lines().filter_map(|line| line.strip_prefix("nginx: [emerg] ")).collect();
                let lines = if faults.is_empty() { text.lines().collect() } else { faults };
                for line in lines {
                    self.logs.tell(Level::Emerg, line);
                }
                self.logs.tell(Level::Emerg, "the old configuration holds on");
            }
        }
    }

    fn renewed(&self) -> Result<Orders> {
        let loaded = load(&self.source.path, &self.source.options);
        let messages = loaded.messages();
        let config = loaded.config.ok_or_else(|| anyhow!("{}", messages.trim_end()))?;
        let http = Arc::clone(&config.http);
        let (before, listeners) = {
            let orders = self.orders.borrow();
            (Arc::clone(&orders.shared), Arc::clone(&orders.listeners))
        };
        let listeners = listen::open(&http, &listeners)?;
        let shared = build(config, http, Some(&before))?;
        Ok(Orders { shared, listeners: Arc::new(listeners), state: State::Running })
    }

    fn reopen(&self) {
        self.logs.tell(Level::Notice, "signal 10 (SIGUSR1) received, reopening logs");
        let files = Arc::clone(&self.orders.borrow().shared.files);
        for (path, error) in files.reopen() {
            let text = format!("open() \"{}\" failed ({error})", path.display());
            self.logs.tell(Level::Emerg, &text);
        }
    }
}

/// The directives that a reload cannot act on and that are said otherwise than before.
fn only_at_start(before: &Config, after: &Config) -> Vec<&'static str> {
    let (before, after) = (&before.main.process, &after.main.process);
    let changed = [
        ("worker_processes", before.worker_processes != after.worker_processes),
        ("worker_rlimit_nofile", before.rlimit_nofile != after.rlimit_nofile),
        ("user", before.user != after.user),
        ("pid", before.pid != after.pid),
        ("daemon", before.daemon != after.daemon),
    ];
    changed.iter().filter(|(_, changed)| *changed).map(|(name, _)| *name).collect()
}

fn tell_left_out(logs: &Logs, http: &Http) {
    for text in listen::left_out(http) {
        logs.tell(Level::Error, &text);
    }
}

/// A panic ends its request alone; that it was there must be known.
fn tell_panics(log: ProcessLog) {
    std::panic::set_hook(Box::new(move |panic| {
        log.tell(Level::Alert, &format!("{panic}"));
    }));
}

fn worker_count(wanted: WorkerProcesses) -> u32 {
    match wanted {
        WorkerProcesses::Number(number) => number,
        WorkerProcesses::Auto => {
            std::thread::available_parallelism().map_or(1, |number| number.get() as u32)
        }
    }
}
