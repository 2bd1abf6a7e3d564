//! The part that serves: worker threads over a configuration, which a built one replaces.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tidegate_config::block::main::WorkerProcesses;
use tidegate_config::diagnostic::Diagnostic;
use tidegate_config::http::error_log::Level;
use tidegate_http::log::ProcessLog;
use tidegate_http::log::file::LogFiles;
use tidegate_http::zone::Zones;
use tidegate_proxy::Upstreams;
use tidegate_proxy::secure::Clients;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

use super::ground::{Ground, not_opened};
use super::memory::Memory;
use super::neighbours::{Beside, Neighbours};
use super::worker::{self, Orders, Post, Start, State, Taken};
use super::{EMERG, limit, memory};
use crate::health_check;
use crate::runtime::{Counters, Shared};
use crate::tls::Tls;

/// How long it is waited for threads to take up a configuration.
const ADOPTION: Duration = Duration::from_secs(2);

/// What is told of what serves.
pub(super) struct Numbers {
    /// Connections taken.
    pub(super) accepted: u64,
    /// Connections open.
    pub(super) active: u64,
    /// Requests.
    pub(super) requests: u64,
    /// Clients that were told that there is no room for them.
    pub(super) turned_away: u64,
    /// How the servers of all groups are, in lines.
    pub(super) upstreams: String,
    /// Connections of each worker.
    pub(super) each: Vec<u64>,
}

/// Worker threads, and what they are told.
pub(super) struct Serving {
    orders: watch::Sender<Orders>,
    threads: Vec<Thread>,
    /// Those that end with their last connection, while the others go on.
    leaving: Vec<JoinHandle<()>>,
    /// What has been built and does not hold yet.
    built: Option<Orders>,
    counters: Arc<Counters>,
    neighbours: Beside,
    log: ProcessLog,
    /// The logs of every configuration that somebody may go by still; the newest are the last.
    logs: Vec<Weak<LogFiles>>,
}

struct Thread {
    handle: JoinHandle<()>,
    post: Arc<Post>,
}

impl Serving {
    /// Builds a configuration; [`Serving::commit`] starts the threads.
    pub(super) fn build(ground: &Ground) -> Result<Self> {
        let orders = build(ground, None)?;
        let neighbours = Beside(Neighbours::new(orders.shared.zones.ledger()));
        if let Some(Memory { file, ways }) = ground.memory.as_deref() {
            // What cannot be read begins anew.
            let _ = file.as_ref().and_then(|file| memory::read(file, &orders.shared));
            neighbours.0.meet(ways.iter().filter_map(|way| way.try_clone().ok()).collect());
        }
        let log = ProcessLog::new(&ground.config, Arc::clone(&ground.logs));
        let logs = vec![Arc::downgrade(&orders.shared.files)];
        let built = Some(orders.clone());
        let (orders, _) = watch::channel(orders);
        let counters = Arc::new(Counters::default());
        let (threads, leaving) = (Vec::new(), Vec::new());
        Ok(Self { orders, threads, leaving, built, counters, neighbours, log, logs })
    }

    /// Builds another configuration beside the one that holds.
    pub(super) fn prepare(&mut self, ground: &Ground) -> Result<()> {
        self.built = None;
        let before = Arc::clone(&self.orders.borrow().shared);
        let built = build(ground, Some(&before))?;
        self.logs.retain(|logs| logs.strong_count() > 0);
        self.logs.push(Arc::downgrade(&built.shared.files));
        self.built = Some(built);
        Ok(())
    }

    /// Lets go of what has been built and does not hold.
    pub(super) fn forget(&mut self) {
        self.built = None;
    }

    /// Lets what has been built hold, for the next request on every connection. Threads come and go
    /// as `worker_processes` says.
    pub(super) fn commit(&mut self) -> Result<()> {
        let Some(mut orders) = self.built.take() else { return Ok(()) };
        self.log = ProcessLog::new(&orders.shared.config, Arc::clone(&orders.shared.files));
        tell_panics(self.log.clone());
        let wanted = worker_count(orders.shared.config.main.process.worker_processes) as usize;
        self.leaving.retain(|handle| !handle.is_finished());
        for thread in self.threads.drain(wanted.min(self.threads.len())..) {
            thread.post.leave();
            self.leaving.push(thread.handle);
        }
        let more = (self.threads.len()..wanted).map(|_| Post::new()).collect::<Vec<_>>();
        let posts = self.threads.iter().map(|thread| &thread.post);
        orders.peers = posts.chain(more.iter().map(|(post, _)| post)).cloned().collect();
        // What is more than this process may allow itself is the master's to do.
        let _ = limit::files(None, orders.shared.config.main.process.rlimit_nofile);
        self.orders.send_replace(orders);
        for (post, given) in more {
            match self.start_thread(post, given) {
                Ok(thread) => self.threads.push(thread),
                Err(error) if self.threads.is_empty() => return Err(error),
                Err(error) => self.log.tell(Level::Alert, &format!("{error:#}")),
            }
        }
        Ok(())
    }

    fn start_thread(&self, post: Arc<Post>, given: UnboundedReceiver<Taken>) -> Result<Thread> {
        let number = self.threads.len();
        let (orders, counters) = (self.orders.subscribe(), Arc::clone(&self.counters));
        let (checks, own) = (number == 0, Arc::clone(&post));
        let start = Start { orders, post: own, given, counters, checks };
        let thread = std::thread::Builder::new().name(format!("worker {number}"));
        let affinity = self.orders.borrow().shared.config.main.process.cpu_affinity.clone();
        let handle = thread.spawn(move || {
            if let Some(affinity) = affinity {
                limit::place(&affinity, number);
            }
            // A worker that cannot have a runtime cannot tell either; the process is told by
            // the end of its thread.
            let _ = worker::run(start);
        });
        Ok(Thread { handle: handle.context("a worker cannot be started")?, post })
    }

    /// Ready when all threads go by what was committed, or was ordered, so that no request that comes
    /// from now on finds the old configuration; or when one that is held up has been waited for long enough.
    pub(super) async fn adopted(&self) {
        let heard = Arc::clone(&self.orders.borrow().heard);
        let all = async {
            while heard.load(Ordering::Relaxed) < self.threads.len() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        // Nothing is wrong with a configuration that one thread takes up later.
        let _ = tokio::time::timeout(ADOPTION, all).await;
    }

    /// Writes to logs that were opened anew, by whichever configuration; those that only a former one has
    /// are opened here, which may be refused, as in nginx's former workers.
    pub(super) fn replace_logs(&self, files: &HashMap<PathBuf, Arc<File>>) {
        for logs in self.logs.iter().filter_map(Weak::upgrade) {
            for (path, error) in logs.replace(files) {
                self.tell(Level::Emerg, &not_opened(&path, &error));
            }
        }
    }

    /// Orders the threads to end; their sockets are let go, and with them what was built for later.
    pub(super) fn order(&mut self, state: State) {
        self.forget();
        self.orders.send_modify(|orders| {
            orders.state = state;
            orders.heard = Arc::default();
            orders.listeners = Arc::default();
        });
    }

    /// Ready when all threads have ended.
    pub(super) async fn ended(&self) {
        while !self.has_ended() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether all threads have ended.
    pub(super) fn has_ended(&self) -> bool {
        let mut handles = self.threads.iter().map(|thread| &thread.handle).chain(&self.leaving);
        handles.all(JoinHandle::is_finished)
    }

    /// What is told of it.
    pub(super) fn numbers(&self) -> Numbers {
        let (accepted, active, requests) = self.counters.read();
        let shared = Arc::clone(&self.orders.borrow().shared);
        let upstreams = health_check::told(shared.upstreams.defined());
        let each = self.threads.iter().map(|thread| thread.post.connections().into()).collect();
        let turned_away = self.counters.turned_away();
        Numbers { accepted, active, requests, turned_away, upstreams, each }
    }

    /// What is known of clients and servers, for a process that serves next.
    pub(super) fn memory(&self) -> Memory {
        Memory { file: memory::write(&self.orders.borrow().shared).ok(), ways: self.ways() }
    }

    /// Ways to this process and to those who serve beside it; none where there is no room for more.
    pub(super) fn ways(&self) -> Vec<OwnedFd> {
        self.neighbours.0.introduce().unwrap_or_default()
    }

    /// How often the loops of all threads have turned so far: as long as one does, it is another
    /// number every half a second.
    pub(super) fn beats(&self) -> u64 {
        self.threads.iter().map(|thread| u64::from(thread.post.beats())).sum()
    }

    /// Waits for the threads.
    pub(super) fn end(&mut self) {
        let threads = self.threads.drain(..).map(|thread| thread.handle);
        for thread in threads.chain(self.leaving.drain(..)) {
            let _ = thread.join();
        }
    }

    /// Tells the log of the process.
    pub(super) fn tell(&self, level: Level, text: &str) {
        self.log.tell(level, text);
    }
}

/// What all threads share of a configuration; nothing of it is seen before all of it is there.
/// Here what a configuration names is made ready to serve, and may be refused; files are read by
/// `config.files`, since the disk's are not for this process.
fn build(ground: &Ground, before: Option<&Shared>) -> Result<Orders> {
    let config = ground.config.clone();
    let http = Arc::clone(&config.http);
    let mut upstreams = Upstreams::new(&http, before.map(|before| &*before.upstreams));
    upstreams.tls = Clients::new(&config).map_err(in_one)?;
    upstreams.changed = config.files.is_changed();
    let upstreams = Arc::new(upstreams);
    let zones = Arc::new(Zones::new(&http, before.map(|before| &*before.zones)));
    let tls = Tls::new(&config, before.map(|before| &*before.tls), ground.chain.as_ref());
    let tls = Arc::new(tls.map_err(in_one)?);
    let files = Arc::clone(&ground.logs);
    let shared = Arc::new(Shared { config, http, files, upstreams, zones, tls });
    let listeners = Arc::clone(&ground.listeners);
    let (peers, heard) = (Arc::default(), Arc::default());
    Ok(Orders { shared, listeners, peers, state: State::Running, heard })
}

fn in_one(faults: Vec<Diagnostic>) -> anyhow::Error {
    let faults: Vec<String> = faults.into_iter().map(|fault| fault.message).collect();
    anyhow!("{}", faults.join(&format!("\n{EMERG}")))
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
