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
        let _ = (level, message);
    }
}
