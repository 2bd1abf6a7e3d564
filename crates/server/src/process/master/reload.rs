//! Taking up the configuration anew, and opening the logs anew.

use anyhow::Result;
use tidegate_config::Config;
use tidegate_config::http::error_log::Level;
use tidegate_http::log::ProcessLog;

use super::{Master, Place};
use crate::listen;
use crate::process::admin::Answer;
use crate::process::child::Child;
use crate::process::ground::Ground;
use crate::process::pid::PidFile;
use crate::process::serving::Serving;

impl Master {
    /// Takes up the configuration anew. Where anything is wrong, nothing changes, and the log and
    /// the answer say what.
    pub(super) async fn reload(&mut self) -> Answer {
        self.notify.reloading();
        let renewed = self.renew().await;
        self.notify.ready();
        let Err(error) = renewed else {
            self.reloads += 1;
            self.log.tell(Level::Notice, "the new configuration holds");
            return Ok("the new configuration holds".to_owned());
        };
        // Of what -t says, the lines that name a fault; the excerpts are for a terminal.
        let text = format!("{error:#}");
        let faults: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("nginx: [emerg] ")).collect();
        let mut lines = if faults.is_empty() { text.lines().collect() } else { faults };
        lines.push("the old configuration holds on");
        for line in &lines {
            self.log.tell(Level::Emerg, line);
        }
        Err(lines.join("\n"))
    }

    async fn renew(&mut self) -> Result<()> {
        let log = self.log.clone();
        let tell = |level, text: &str| log.tell(level, text);
        let ground = self.parts.ground.renew(&self.parts.source, self.parts.rights, &tell)?;
        let pid_path = &ground.config.main.process.pid;
        let is_elsewhere = *pid_path != self.parts.ground.config.main.process.pid;
        let pid = if is_elsewhere { Some(PidFile::open(pid_path)?) } else { None };
        self.prepare(&ground).await?;
        self.commit().await?;
        if let Some(mut pid) = pid {
            pid.write()?;
            self.parts.pid = pid;
            if let Some(admin) = &mut self.admin {
                admin.follow(self.parts.pid.path());
            }
        }
        let before = std::mem::replace(&mut self.parts.ground, ground);
        let ground = &self.parts.ground;
        self.log = ProcessLog::new(&ground.config, ground.logs.clone());
        let gone = before.listeners.keys().filter(|gone| !ground.listeners.contains_key(*gone));
        listen::remove_paths(gone);
        for name in only_at_start(&before.config, &ground.config) {
            let text = format!("\"{name}\" has changed, which takes a restart");
            self.log.tell(Level::Warn, &text);
        }
        self.tell_left_out();
        Ok(())
    }

    /// Has a configuration built by whoever serves, or by somebody new.
    async fn prepare(&mut self, ground: &Ground) -> Result<()> {
        match &mut self.parts.place {
            Place::Here(serving) => serving.prepare(ground),
            Place::There(child) => child.prepare(&self.parts.source, ground).await,
            Place::Nowhere(_) => {
                let mut child = Child::start(&ground.config.main.process)?;
                child.prepare(&self.parts.source, ground).await?;
                self.parts.place = Place::There(child);
                Ok(())
            }
        }
    }

    async fn commit(&mut self) -> Result<()> {
        match &mut self.parts.place {
            Place::Here(serving) => {
                serving.commit()?;
                serving.adopted().await;
                Ok(())
            }
            Place::There(child) => child.commit().await,
            Place::Nowhere(_) => Ok(()),
        }
    }

    /// Somebody new who serves by the configuration that holds.
    pub(super) async fn another(&self) -> Result<Place> {
        let ground = &self.parts.ground;
        if !self.parts.splits {
            let mut serving = Serving::build(ground)?;
            serving.commit()?;
            return Ok(Place::Here(Box::new(serving)));
        }
        let mut child = Child::start(&ground.config.main.process)?;
        child.prepare(&self.parts.source, ground).await?;
        child.commit().await?;
        Ok(Place::There(child))
    }

    /// Opens the logs anew.
    pub(super) fn reopen(&self) {
        self.log.tell(Level::Notice, "signal 10 (SIGUSR1) received, reopening logs");
        for text in self.parts.ground.reopen() {
            self.log.tell(Level::Emerg, &text);
        }
        for place in self.leaving.iter().chain([&self.parts.place]) {
            if let Place::There(child) = place
                && let Err(error) = child.replace_logs(&self.parts.ground.logs)
            {
                self.log.tell(Level::Alert, &format!("the worker process is deaf: {error}"));
            }
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
        ("daemon", before.daemon != after.daemon),
        ("master_process", before.master_process != after.master_process),
    ];
    changed.iter().filter(|(_, changed)| *changed).map(|(name, _)| *name).collect()
}
