//! `access_log`: a line for every request.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path};

use tidegate_config::http::error_log::Level;
use tidegate_config::http::log::{AccessLog, AccessTarget, AccessTo, LogFormat};
use tidegate_config::value::size::Size;
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
    if target.condition.as_ref().is_some_and(|condition| !ex.is_true(condition)) {
        return;
    }
    let http = ex.http;
    let Some(format) = http.format(target.format) else { return };
    let line = line(ex, format);
    match &target.to {
        AccessTo::File(file) => {
            let size = |size: Size| usize::try_from(size.0).unwrap_or(usize::MAX);
            let wait = Wait { buffer: target.buffer.map_or(0, size), flush: target.flush };
            ex.logs.writer.append(file.0, &line, wait);
        }
        AccessTo::Named(path) => {
            let path = ex.render(path);
            if let Err(error) = append(Path::new(OsStr::from_bytes(&path)), &line) {
                let path = String::from_utf8_lossy(&path);
                ex.log(Level::Crit, &format!("open() \"{path}\" failed ({error})"));
            }
        }
        AccessTo::Syslog(_) => {}
    }
}

/// Writes a line to a file that a request has named. It names none by way of another folder.
fn append(path: &Path, line: &[u8]) -> io::Result<()> {
    if path.components().any(|component| component == Component::ParentDir) {
        return Err(io::ErrorKind::InvalidFilename.into());
    }
    OpenOptions::new().append(true).create(true).mode(0o644).open(path)?.write_all(line)
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
