//! `access_log`: a line for every request.

use tidegate_config::http::error_log::LogTo;
use tidegate_config::http::log::{AccessLog, AccessTarget, LogFormat};
use tidegate_config::value::template::Part;

use super::escape::put;
use super::writer::Wait;
use crate::exchange::Exchange;

/// Writes the lines of a request whose answer has gone, or been given up. Must be called within a
/// local task set.
pub fn write(ex: &mut Exchange<'_>) {
    let logs = ex.location.log.as_ref().access.as_slice();
    if logs.contains(&AccessLog::Off) {
        return;
    }
    for log in logs {
        if let AccessLog::On(target) = log {
            write_one(ex, target);
        }
    }
}

fn write_one(ex: &mut Exchange<'_>, target: &AccessTarget) {
    let LogTo::File(file) = target.to else { return };
    if target.condition.as_ref().is_some_and(|condition| !ex.is_true(condition)) {
        return;
    }
    let http = ex.http;
    let Some(format) = http.format(target.format) else { return };
    let line = line(ex, format);
    let buffer = target.buffer.map_or(0, |size| usize::try_from(size.0).unwrap_or(usize::MAX));
    ex.logs.writer.append(file.0, &line, Wait { buffer, flush: target.flush });
}

/// A line with its end.
fn line(ex: &mut Exchange<'_>, format: &LogFormat) -> Vec<u8> {
    let mut line = Vec::with_capacity(256);
    for part in &format.line.parts {
        match part {
            Part::Text(text) => line.extend_from_slice(text),
            Part::Variable(variable) => {
                put(&mut line, ex.value(variable).as_deref(), format.escape);
            }
        }
    }
    line.push(b'\n');
    line
}
