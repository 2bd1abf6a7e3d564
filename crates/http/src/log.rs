//! What is told of requests: a line each, and their faults.

pub mod access;
mod error;
mod escape;
pub mod writer;

use std::rc::Rc;
use std::sync::Arc;

use tidegate_config::Config;
use tidegate_config::http::error_log::{ErrorTarget, Level, LogTo};

use self::writer::{LogFiles, LogWriter};

/// The logs of one worker.
#[derive(Debug)]
pub struct Logs {
    /// Where bytes go.
    pub writer: Rc<LogWriter>,
    /// Where faults are told that no location has a say about.
    main: Vec<ErrorTarget>,
}

impl Logs {
    /// The logs of a worker, over the open files of the process.
    pub fn new(config: &Config, files: Arc<LogFiles>) -> Self {
        let mut main = config.main.error_log.targets.clone();
        if main.is_empty() {
            main.push(ErrorTarget { to: LogTo::Stderr, level: Level::Error });
        }
        Self { writer: LogWriter::new(files), main }
    }
}
