//! What is told of requests: a line each, and their faults.

pub mod writer;

use std::rc::Rc;

use tidegate_config::http::error_log::Level;

use crate::exchange::Exchange;

/// The logs of one worker.
pub struct Logs {
    /// Where bytes go.
    pub writer: Rc<writer::LogWriter>,
}

impl Exchange<'_> {
    /// Tells of a fault of this request in its error log, with who asked what.
    pub fn log(&self, level: Level, message: &str) {
        eprintln!("{level:?} {message}");
    }
}

impl Logs {
    /// The logs of a worker, over the open files of the process.
    pub fn new(_: &tidegate_config::Config, files: std::sync::Arc<writer::LogFiles>) -> Self {
        Self { writer: writer::LogWriter::new(files) }
    }
    /// Tells of a fault of the process.
    pub fn tell(&self, level: Level, text: &str) {
        eprintln!("{level:?} {text}");
    }
}
