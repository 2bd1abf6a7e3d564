//! What a configuration stands on: the files it is read from, its open logs and its sockets, all
//! of which may need root's rights.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, anyhow};
use nix::unistd::chown;
use tidegate_config::files::Files;
use tidegate_config::http::error_log::Level;
use tidegate_config::{Config, Options, load};
use tidegate_http::log::file::LogFiles;
use tidegate_http::log::words::words;

use super::memory::Memory;
use super::{Source, user};
use crate::listen::{self, Listeners, Purpose};
use crate::tls::Chain;

/// A configuration, and what is open for it.
pub(super) struct Ground {
    /// The configuration.
    pub(super) config: Config,
    /// Its open logs.
    pub(super) logs: Arc<LogFiles>,
    /// Its open sockets.
    pub(super) listeners: Arc<Listeners>,
    /// What keys of tickets come of; who serves next has the same.
    pub(super) chain: Option<Chain>,
    /// What another process knew that served before, for one that begins.
    pub(super) memory: Option<Arc<Memory>>,
}

impl Ground {
    /// Opens what a configuration needs at the start, or tries to (`-t`). What goes on for longer
    /// is told on standard error.
    pub(super) fn first(config: Config, already: &Listeners, purpose: Purpose) -> Result<Self> {
        let tell = |level: Level, text: &str| {
            let level = Level::WORDS.get(level as usize).copied().unwrap_or_default();
            eprintln!("nginx: [{level}] {text}");
        };
        let logs = Self::logs(&config, None)?;
        let listeners = listen::open(&config.http, already, purpose, &tell)?;
        let (logs, listeners) = (Arc::new(logs), Arc::new(listeners));
        Ok(Self { config, logs, listeners, chain: Chain::drawn(), memory: None })
    }

    /// The open logs of a configuration, and the folders it writes to.
    fn logs(config: &Config, known: Option<&LogFiles>) -> Result<LogFiles> {
        let http = &config.http;
        make_log_folder(&http.files);
        user::make_folders(&http.folders, config.main.process.user.as_deref());
        let files = LogFiles::open(&http.files, known).map_err(|(path, error)| {
            let text = not_opened(&path, &error);
            match path.parent().filter(|folder| !folder.exists()) {
                Some(folder) => {
                    anyhow!("{text}\n    = hint: mkdir -p {} makes its folder", folder.display())
                }
                None => anyhow!(text),
            }
        })?;
        Ok(files.with_syslogs(&http.syslogs))
    }

    /// Reads the configuration anew, and opens what it needs. What is open already is taken over;
    /// an error leaves all of that as it is.
    pub(super) fn renew(
        &self,
        source: &Source,
        rights: Rights,
        tell: &dyn Fn(Level, &str),
    ) -> Result<Self> {
        let options = Options { files: Arc::new(Files::default()), ..source.options.clone() };
        let loaded = load(&source.path, &options);
        let messages = loaded.messages();
        let config = loaded.config.ok_or_else(|| anyhow!("{}", messages.trim_end()))?;
        let known = Some(&*self.logs).filter(|_| rights == Rights::GivenUp);
        let logs = Self::logs(&config, known)?;
        let listeners = listen::open(&config.http, &self.listeners, Purpose::Serve, tell)?;
        let (logs, listeners) = (Arc::new(logs), Arc::new(listeners));
        let chain = self.chain.as_ref().and_then(Chain::forgetting);
        Ok(Self { config, logs, listeners, chain, memory: None })
    }

    /// Opens the logs anew, so that renamed files are let go; they belong to the user of the
    /// workers then, as in nginx. Those that cannot be opened are told.
    pub(super) fn reopen(&self) -> Vec<String> {
        let faults = self.logs.reopen();
        let faults = faults.iter().map(|(path, error)| not_opened(path, error)).collect();
        if let Some(uid) = user::of_workers(self.config.main.process.user.as_deref()) {
            for path in &self.config.http.files {
                // One that stays root's is written all the same.
                let _ = chown(path, Some(uid), None);
            }
        }
        faults
    }
}

/// What is told of a log that cannot be opened.
pub(super) fn not_opened(path: &Path, error: &io::Error) -> String {
    format!("open() \"{}\" failed ({})", path.display(), words(error))
}

/// Whether the process still has the rights that it was started with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rights {
    /// It has them all.
    All,
    /// It was root, and is no more: logs that it cannot open again are taken over.
    GivenUp,
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
