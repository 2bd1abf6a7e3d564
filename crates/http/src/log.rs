//! What is told of requests: a line each, and their faults.

pub mod access;
mod debug;
mod error;
mod escape;
pub mod file;
mod lost;
pub mod memory;
pub mod named;
pub mod stderr;
mod syslog;
pub mod turn;
pub mod words;
pub mod writer;

use std::rc::Rc;
use std::sync::Arc;

use tidegate_config::Config;
use tidegate_config::http::error_log::{ErrorTarget, Level, LogTo};

pub use self::error::Teller;
use self::file::LogFiles;
use self::named::NamedFiles;
use self::writer::LogWriter;

/// The logs of one worker.
#[derive(Debug)]
pub struct Logs {
    /// Where bytes go.
    pub writer: Rc<LogWriter>,
    /// The files that requests name.
    named: NamedFiles,
    /// Where faults are told that no location has a say about.
    main: ProcessLog,
}

/// The error log of the process, for any thread.
#[derive(Clone, Debug)]
pub struct ProcessLog {
    files: Arc<LogFiles>,
    targets: Vec<ErrorTarget>,
}

impl ProcessLog {
    /// The error log of the process, over its open files.
    pub fn new(config: &Config, files: Arc<LogFiles>) -> Self {
        let mut targets = config.main.error_log.targets.clone();
        if targets.is_empty() {
            let to = LogTo::Stderr;
            targets.push(ErrorTarget { to, level: Level::Error, json: false });
        }
        Self { files, targets }
    }

    /// The same without standard error.
    #[must_use]
    pub fn in_files(mut self) -> Self {
        self.targets.retain(|target| matches!(target.to, LogTo::File(_)));
        self
    }
}

impl Logs {
    /// The logs of a worker, over the open files of the process.
    pub fn new(config: &Config, files: Arc<LogFiles>) -> Self {
        let main = ProcessLog::new(config, Arc::clone(&files));
        Self { writer: LogWriter::telling(files, main.clone()), named: NamedFiles::default(), main }
    }
}
