//! Taking up the configuration anew, and opening the logs anew.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rustix::process::Pid;
use tidegate_config::Config;
use tidegate_config::http::error_log::Level;
use tidegate_http::log::ProcessLog;
use tidegate_http::log::words::words;

use super::{Master, Place};
use crate::listen;
use crate::process::EMERG;
use crate::process::admin::Answer;
use crate::process::child::Child;
use crate::process::ground::Ground;
use crate::process::limit;
use crate::process::pid::PidFile;
use crate::process::serving::Serving;
use crate::process::user;

/// How long a reload is not taken for standing still.
const LONGEST: Duration = Duration::from_mins(5);

/// What may be done where there is no descriptor left.
const SHORT: &str = "there may be no more descriptors: LimitNOFILE= of the unit, `ulimit -n` before the start \
                     or, for the process that serves, worker_rlimit_nofile allows more";

impl Master {
    /// Takes up the configuration anew. Where anything is wrong, nothing changes, and the log and
    /// the answer say what.
    pub(super) async fn reload(&mut self) -> Answer {
        self.notify.reloading();
        self.reloading = true;
        // Neither a disk that is slow nor a large configuration is a reason to begin anew.
        let _busy = self.notify.busy(LONGEST);
        let renewed = self.renew().await;
        self.reloading = false;
        self.notify.ready();
        let error = match renewed {
            Ok(left) => {
                self.reloads += 1;
                self.log.tell(Level::Notice, "the new configuration holds");
                let mut lines = vec!["the new configuration holds".to_owned()];
                for text in left {
                    self.log.tell(Level::Warn, &text);
                    lines.push(text);
                }
                return Ok(lines.join("\n"));
            }
            Err(error) => error,
        };
        let text = format!("{error:#}");
        let mut lines = faults(&text);
        if lines.iter().any(|line| line.contains("Too many open files")) {
            lines.push(SHORT);
        }
        lines.push("the old configuration holds on");
        for line in &lines {
            self.log.tell(Level::Emerg, line);
        }
        Err(lines.join("\n"))
    }

    /// A reload that was under way goes no further: the server ends, whatever it serves by.
    pub(super) fn give_up_reload(&mut self) {
        listen::remove_paths(std::mem::take(&mut self.opening).iter());
        if std::mem::take(&mut self.reloading) {
            self.log.tell(Level::Notice, "the reload is given up: the server ends");
        }
    }

    /// What was not taken up is told.
    async fn renew(&mut self) -> Result<Vec<String>> {
        let log = self.log.clone();
        let tell = |level, text: &str| log.tell(level, text);
        let mut ground = self.parts.ground.renew(&self.parts.source, self.parts.rights, &tell)?;
        let known = &self.parts.ground.listeners;
        let new = ground.listeners.keys().filter(|new| !known.contains_key(*new));
        self.opening = new.cloned().collect();
        let changed = self.changed(&ground.config);
        if matches!(changed, Changed::Worker(_)) || matches!(self.parts.place, Place::Nowhere(_)) {
            ground.memory = self.known().await.map(Arc::new);
        }
        let taken_up = self.take_up(&ground, &changed).await;
        let opened = std::mem::take(&mut self.opening);
        let pid = taken_up.inspect_err(|_| listen::remove_paths(opened.iter()))?;
        if let Some(pid) = pid {
            self.parts.pid = pid;
            if let Some(admin) = &mut self.admin {
                admin.follow(self.parts.pid.path());
            }
        }
        ground.memory = None;
        let left = self.left(&ground.config, &changed);
        let before = std::mem::replace(&mut self.parts.ground, ground);
        let ground = &self.parts.ground;
        self.log = ProcessLog::new(&ground.config, ground.logs.clone());
        let gone = before.listeners.keys().filter(|gone| !ground.listeners.contains_key(*gone));
        listen::remove_paths(gone);
        self.tell_left_out();
        Ok(left)
    }

    /// Has a configuration hold wherever requests are served. What may fail comes before what cannot
    /// be taken back. The pid file where it lies elsewhere now.
    async fn take_up(&mut self, ground: &Ground, changed: &Changed) -> Result<Option<PidFile>> {
        let path = &ground.config.main.process.pid;
        let is_elsewhere = *path != self.parts.ground.config.main.process.pid;
        let mut pid = if is_elsewhere { Some(PidFile::open(path)?) } else { None };
        if let Some(pid) = &mut pid {
            pid.write()?;
        }
        if let (Changed::Worker(name), Place::There(_)) = (changed, &self.parts.place) {
            let another = self.another(ground).await?;
            // As soon as it serves, it finishes what it has begun, even where this is given up.
            self.leaving.push(another);
            let committed = match self.leaving.last_mut() {
                Some(another) => another.commit().await,
                None => Ok(()),
            };
            let Some(another) = self.leaving.pop() else { return committed.map(|()| pid) };
            committed?;
            self.tell_worker(&another);
            let text = format!("\"{name}\" has changed: another worker process serves");
            self.log.tell(Level::Notice, &text);
            let before = std::mem::replace(&mut self.parts.place, another);
            // So does the one before.
            self.leaving.push(before);
            if let Some(before) = self.leaving.last_mut() {
                before.leave(&self.log).await;
            }
        } else {
            self.prepare(ground).await?;
            self.parts.place.commit().await?;
        }
        Ok(pid)
    }

    /// What has to do with the process is said otherwise than before.
    fn changed(&self, after: &Config) -> Changed {
        let is_transparent = user::binds_transparently;
        let transparent = is_transparent(&self.parts.ground.config) != is_transparent(after);
        let (before, after) = (&self.parts.ground.config.main.process, &after.main.process);
        let first = |changes: &[(&'static str, bool)]| {
            changes.iter().find(|(_, changed)| *changed).map(|(name, _)| *name)
        };
        let start = first(&[
            ("daemon", before.daemon != after.daemon),
            ("master_process", before.master_process != after.master_process),
        ]);
        let worker = first(&[
            ("user", before.user != after.user),
            ("worker_priority", before.priority != after.priority),
            ("worker_rlimit_core", before.rlimit_core != after.rlimit_core),
            ("worker_cpu_affinity", before.cpu_affinity != after.cpu_affinity),
            ("working_directory", before.working_directory != after.working_directory),
            ("env", before.env != after.env),
            ("transparent", transparent),
        ]);
        match (worker, start) {
            (Some(name), _) if self.parts.splits => Changed::Worker(name),
            (_, Some(name)) | (Some(name), None) => Changed::Start(name),
            (None, None) => Changed::Nothing,
        }
    }

    /// What of a new configuration does not hold; `worker_rlimit_nofile` is raised here.
    fn left(&self, after: &Config, changed: &Changed) -> Vec<String> {
        let mut left = Vec::new();
        if let Changed::Start(name) = changed {
            left.push(format!("\"{name}\" has changed, which takes a restart"));
        }
        let wanted = after.main.process.rlimit_nofile;
        // What it may have anyway the worker has set.
        if limit::is_beyond(wanted) {
            let whose = match &self.parts.place {
                Place::There(child) => Pid::from_raw(child.pid().cast_signed()),
                _ => None,
            };
            if let Err(error) = limit::files(whose, wanted) {
                let error = words(&error);
                left.push(format!(
                    "\"worker_rlimit_nofile\" takes a restart: prlimit() failed ({error})"
                ));
            }
        }
        left
    }

    /// Has a configuration built by whoever serves, or by somebody new.
    pub(super) async fn prepare(&mut self, ground: &Ground) -> Result<()> {
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

    /// Somebody new who has built a configuration, and serves by it when told.
    pub(super) async fn another(&self, ground: &Ground) -> Result<Place> {
        if !self.parts.splits {
            return Ok(Place::Here(Box::new(Serving::build(ground)?)));
        }
        let mut child = Child::start(&ground.config.main.process)?;
        child.prepare(&self.parts.source, ground).await?;
        Ok(Place::There(child))
    }

    /// Opens the logs anew.
    pub(super) fn reopen(&self) {
        for text in self.parts.ground.reopen() {
            self.log.tell(Level::Emerg, &text);
        }
        for place in self.leaving.iter().chain([&self.parts.place]) {
            place.replace_logs(&self.parts.ground.logs, &self.log);
        }
    }
}

/// What a reload has to do beside building the configuration, and the directive it is for.
enum Changed {
    Nothing,
    /// It takes another worker process.
    Worker(&'static str),
    /// It takes another start of all.
    Start(&'static str),
}

/// Of what `-t` says, the lines that name a fault, of which the first may stand without the mark; the
/// excerpts are for a terminal. Where no line has it, all are one fault's.
fn faults(text: &str) -> Vec<&str> {
    if !text.contains(EMERG) {
        return text.lines().collect();
    }
    let first = text.lines().take(1).filter(|line| !line.starts_with("nginx: ["));
    first.chain(text.lines().filter_map(|line| line.strip_prefix(EMERG))).collect()
}

#[cfg(test)]
mod tests {
    use super::faults;

    #[test]
    fn each_fault_is_told_and_no_excerpt() {
        assert_eq!(faults("one\n    = hint: two"), ["one", "    = hint: two"]);
        assert_eq!(faults("one\nnginx: [emerg] two\n  3 | x;"), ["one", "two"]);
        let text =
            "nginx: [warn] one\n  1 | x;\nnginx: [emerg] two\n  2 | y;\nnginx: [emerg] three";
        assert_eq!(faults(text), ["two", "three"]);
    }
}
