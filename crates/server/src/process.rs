//! The process: a master that opens what needs rights, and a worker process that serves without
//! them; or both in one.

mod channel;
mod child;
mod daemon;
mod ground;
mod limit;
mod master;
mod parcel;
mod pid;
mod serving;
mod signal;
mod user;
mod worker;
pub(crate) mod worker_process;

use std::path::PathBuf;

use anyhow::Result;
use tidegate_config::{Config, Options};

use crate::listen::{Listeners, Purpose};
use child::Child;
use ground::{Ground, Rights};
use master::{Master, Place};
use pid::PidFile;
use serving::Serving;
use signal::Signals;
pub(crate) use signal::{Command, send};

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
    let ground = Ground::first(config, &Listeners::new(), Purpose::Test)?;
    Serving::build(&ground)?;
    pid::try_out(&pid)
}

/// Runs the server until it is told to end.
pub(crate) fn run(source: Source, config: Config) -> Result<()> {
    if config.main.process.daemon && !daemon::in_background() {
        return daemon::start();
    }
    // Before anybody can see that it runs: a signal would end it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let signals = {
        let _guard = runtime.enter();
        Signals::new()?
    };
    let process = std::sync::Arc::clone(&config.main.process);
    let is_root = rustix::process::geteuid().is_root();
    // Where there is a worker process, the limit is its own.
    limit::files(process.rlimit_nofile.filter(|_| !is_root || !process.master_process));
    let mut pid = PidFile::open(&process.pid)?;
    let ground = Ground::first(config, &Listeners::new(), Purpose::Serve)?;
    let (place, rights) = if is_root && process.master_process {
        let mut child = Child::start(process.daemon)?;
        runtime.block_on(child.prepare(&source, &ground))?;
        pid.write()?;
        child.commit()?;
        (Place::There(child), Rights::All)
    } else {
        let mut serving = Serving::build(&ground)?;
        pid.write()?;
        user::become_user(process.user.as_deref(), &ground.config.http.files)?;
        serving.commit()?;
        let rights = if is_root { Rights::GivenUp } else { Rights::All };
        (Place::Here(Box::new(serving)), rights)
    };
    if process.daemon {
        daemon::detach()?;
    }
    runtime.block_on(Master::new(source, ground, place, rights).follow(signals));
    drop(pid);
    Ok(())
}
