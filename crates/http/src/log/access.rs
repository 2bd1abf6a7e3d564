//! `access_log`: a line for every request.

use std::cell::Cell;
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::io::Errno;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::log::{AccessLog, AccessTarget, AccessTo, LogFormat};
use tidegate_config::value::size::Size;
use tidegate_config::value::template::{Part, Template};
use tidegate_config::variable::{Builtin, Variable};

use super::escape::put;
use super::syslog;
use super::words::words;
use super::writer::Wait;
use crate::client::Endpoint;
use crate::date::Now;
use crate::exchange::Exchange;
use crate::head::Version;
use crate::status::on_wire;

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
    let mut line = LINE.take();
    line.clear();
    put_line(ex, format, &mut line);
    give(ex, target, &line);
    LINE.set(line);
}

thread_local! {
    /// The memory of lines on their way.
    static LINE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

fn give(ex: &mut Exchange<'_>, target: &AccessTarget, line: &[u8]) {
    match &target.to {
        AccessTo::File(file) => {
            let size = |size: Size| usize::try_from(size.0).unwrap_or(usize::MAX);
            let buffer = target.buffer.map_or(0, size);
            let wait = Wait { buffer, flush: target.flush, gzip: target.gzip };
            ex.logs.writer.append(file.0, line, wait);
        }
        AccessTo::Named(path) => named(ex, path, line),
        AccessTo::Syslog(settings) => {
            let mut message = syslog::header(settings, settings.severity);
            message.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line));
            if let Some(text) = ex.logs.writer.files().send(settings.server, &message) {
                ex.logs.main.tell_elsewhere(&text);
            }
        }
    }
}

/// Writes a line to a file that the request names, unless its root is missing: a host that somebody
/// has made up shall make no files (nginx: `ngx_http_log_script_write`).
fn named(ex: &mut Exchange<'_>, path: &Template, line: &[u8]) {
    let root = ex.document_root();
    let missing = match std::fs::metadata(OsStr::from_bytes(&root)) {
        Ok(found) if found.is_dir() => None,
        Ok(_) => Some(Errno::NOTDIR.into()),
        Err(error) => Some(error),
    };
    if let Some(error) = missing {
        let root = String::from_utf8_lossy(&root);
        let text = format!("testing \"{root}\" existence failed ({})", words(&error));
        return ex.log(Level::Error, &text);
    }
    let path = ex.render(path);
    let cache = ex.location.log.open_file_cache.as_ref();
    ex.logs.named.let_go(ex.logs.writer.files().reopened());
    if let Err(error) = ex.logs.named.append(Path::new(OsStr::from_bytes(&path)), line, cache) {
        let path = String::from_utf8_lossy(&path);
        ex.log(Level::Crit, &format!("open() \"{path}\" failed ({})", words(&error)));
    }
}

/// Puts a line with its end behind what is there.
fn put_line(ex: &mut Exchange<'_>, format: &LogFormat, line: &mut Vec<u8>) {
    for part in &format.line.parts {
        match part {
            Part::Text(text) => line.extend_from_slice(text),
            Part::Variable(Variable::Builtin(builtin)) if put_known(ex, *builtin, line) => {}
            Part::Variable(Variable::Builtin(Builtin::Request))
                if ex.request.version < Version::Http2 =>
            {
                put(line, Some(&ex.request.line), format.escape);
            }
            Part::Variable(variable) => put(line, ex.value(variable).as_deref(), format.escape),
        }
    }
    line.push(b'\n');
}

/// Puts the value of a variable that most lines have, and that needs no escape, without making a text
/// of it first; false where it is none of those.
fn put_known(ex: &Exchange<'_>, builtin: Builtin, line: &mut Vec<u8>) -> bool {
    let number = |line: &mut Vec<u8>, number: u64| {
        line.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    };
    match builtin {
        Builtin::BodyBytesSent => number(line, ex.sent.body_bytes),
        Builtin::BytesSent => number(line, ex.sent.bytes),
        Builtin::Status if ex.error.status.is_none() && (100..600).contains(&ex.sent.status) => {
            number(line, on_wire(ex.sent.status).into());
        }
        Builtin::TimeLocal => Now::with(|now| line.extend_from_slice(&now.local)),
        Builtin::RemoteAddr => {
            let Endpoint::Ip(SocketAddr::V4(address)) = &ex.remote else { return false };
            for (place, byte) in address.ip().octets().into_iter().enumerate() {
                if place > 0 {
                    line.push(b'.');
                }
                number(line, byte.into());
            }
        }
        _ => return false,
    }
    true
}
