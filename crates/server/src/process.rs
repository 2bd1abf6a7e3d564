//! The process: a master that opens what needs rights, and a worker process that serves without
//! them; or both in one.

mod admin;
mod channel;
mod child;
mod daemon;
mod environment;
mod greeting;
mod ground;
mod inherited;
mod limit;
mod master;
mod memory;
mod neighbours;
mod notify;
mod parcel;
mod pid;
mod serving;
mod signal;
mod successor;
mod user;
mod worker;
pub(crate) mod worker_process;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use tidegate_config::http::error_log::Level;
use tidegate_config::{Config, Options};
use tidegate_http::log::ProcessLog;
use tidegate_http::log::file::LogFiles;

use crate::listen::{Listeners, Purpose};
use admin::Admin;
pub(crate) use admin::{Request, ask};
use child::Child;
pub(crate) use daemon::handed_on;
use ground::{Ground, Rights};
use master::{Master, Parts, Place};
use pid::PidFile;
use serving::Serving;
use signal::Signals;
pub(crate) use signal::{Command, send};
use successor::Predecessor;
pub(crate) use worker::{Crowd, Post, stall};

/// What a line of `-t` begins with that names a fault.
const EMERG: &str = "nginx: [emerg] ";

/// Where a configuration comes from.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The main file.
    pub(crate) path: PathBuf,
    /// What else is known of it.
    pub(crate) options: Options,
}

/// Tries all that a start does short of serving (`-t`): logs are opened, sockets bound, and the
/// configuration is built.
pub(crate) fn try_out(config: Config) -> Result<()> {
    let pid = config.main.process.pid.clone();
    user::check(config.main.process.user.as_deref())?;
    user::tell_ignored(&config.main.process);
    let ground = Ground::first(config, &Listeners::new(), Purpose::Test)?;
    Serving::build(&ground)?;
    pid::try_out(&pid)
}

/// What a configuration needs of the machine and is not there: folders of logs, user and group.
pub(crate) fn absent(config: &Config) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut logs: Vec<&PathBuf> = config.http.files.iter().collect();
    logs.push(&config.main.process.pid);
    for folder in logs.into_iter().filter_map(|log| log.parent()) {
        let text = format!("the folder \"{}\" is not there", folder.display());
        if !folder.exists() && !all.contains(&text) {
            all.push(text);
        }
    }
    let user = user::check(config.main.process.user.as_deref()).err();
    all.extend(user.map(|fault| fault.to_string().lines().take(1).collect()));
    all
}

/// Runs the server until it is told to end; or, where it is to do so in the background, starts it. Why
/// a start fails is in the error log, too.
pub(crate) fn run(source: Source, config: Config) -> Result<ExitCode> {
    let is_successor = inherited::is_successor();
    if config.main.process.daemon && !daemon::in_background() && !is_successor {
        return daemon::start(&config.files);
    }
    if !is_split(&config) {
        environment::take_up(&config.main.process, &source.path)?;
    }
    user::tell_ignored(&config.main.process);
    let said = config.clone();
    serve(source, config).inspect_err(|error| {
        if let Ok(files) = LogFiles::open(&said.http.files, None) {
            let log = ProcessLog::new(&said, Arc::new(files)).in_files();
            format!("{error:#}").lines().for_each(|line| log.tell(Level::Emerg, line));
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Whether there are two processes: one has root's rights, the other serves.
fn is_split(config: &Config) -> bool {
    rustix::process::geteuid().is_root() && config.main.process.master_process
}

fn serve(source: Source, config: Config) -> Result<()> {
    let mut predecessor = Predecessor::of_this()?;
    let inherited = inherited::listeners();
    let program = successor::program();
    // Before anybody can see that it runs: a signal would end it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let signals = {
        let _guard = runtime.enter();
        Signals::new()?
    };
    let process = Arc::clone(&config.main.process);
    let is_root = rustix::process::geteuid().is_root();
    // What `worker_rlimit_nofile` says is for whoever serves.
    let _ = limit::files(None, None);
    let mut pid = PidFile::open(&process.pid)?;
    let mut ground = Ground::first(config, &inherited, Purpose::Serve)?;
    if let Some(predecessor) = &mut predecessor {
        predecessor.hand_on(&mut ground);
    }
    // Those that the configuration does not name are closed.
    drop(inherited);
    let splits = is_split(&ground.config);
    let rights = if is_root && !splits { Rights::GivenUp } else { Rights::All };
    let (place, admin) = if splits {
        let mut child = Child::start(&process)?;
        runtime.block_on(child.prepare(&source, &ground))?;
        pid.write()?;
        let admin = admin(&runtime, &process.pid, &ground);
        runtime.block_on(child.commit())?;
        (Place::There(child), admin)
    } else {
        let mut refused = limit::apply(&process);
        refused.extend(environment::faults(&process, &source.path));
        let mut serving = Serving::build(&ground)?;
        for text in &refused {
            serving.tell(Level::Alert, text);
        }
        pid.write()?;
        let admin = admin(&runtime, &process.pid, &ground);
        user::become_user(&ground.config, &ground.config.http.files)?;
        limit::enter_folder(&process)?;
        serving.commit()?;
        (Place::Here(Box::new(serving)), admin)
    };
    ground.memory = None;
    if predecessor.is_none() {
        greeting::greet(&ground.config);
    }
    if process.daemon {
        daemon::detach()?;
    }
    let parts = Parts { source, ground, place, splits, rights, pid, program, predecessor };
    runtime.block_on(Master::new(parts, admin).follow(signals));
    Ok(())
}

/// The socket beside the pid file; a server whose socket cannot be serves all the same.
fn admin(runtime: &tokio::runtime::Runtime, pid: &Path, ground: &Ground) -> Option<Admin> {
    let _guard = runtime.enter();
    Admin::open(pid)
        .inspect_err(|error| {
            let log = ProcessLog::new(&ground.config, Arc::clone(&ground.logs));
            log.tell(
                Level::Warn,
                &format!("`tidegate reload` and its like do not work: {error:#}"),
            );
        })
        .ok()
}
