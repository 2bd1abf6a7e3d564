//! The error log, in nginx's format.

use std::io::Write;

use tidegate_config::block::Server;
use tidegate_config::http::error_log::{ErrorTarget, Level, LogTo};

use super::{Logs, ProcessLog};
use crate::client::{Connection, Endpoint};
use crate::date::Now;
use crate::exchange::Exchange;

/// The longest line, its end included, in bytes (nginx: `NGX_MAX_ERROR_STR`).
const LONGEST: usize = 2048;

impl Logs {
    /// Tells of a fault of the process.
    pub fn tell(&self, level: Level, text: &str) {
        self.main.tell(level, text);
    }
}

impl Logs {
    /// Tells of a fault of a connection that is none of a request, in the error log of the server
    /// that stands for it.
    pub fn tell_of(&self, connection: &Connection, server: &Server, level: Level, text: &str) {
        let own = server.location.error_log.targets.as_slice();
        let targets = if own.is_empty() { self.main.targets.as_slice() } else { own };
        if is_told(targets, level) {
            let client = connection.peer.address_text();
            let client = String::from_utf8_lossy(&client);
            let local = match &connection.local {
                Endpoint::Ip(address) => address.to_string(),
                Endpoint::Unix(path) => {
                    format!("unix:{}", path.clone().unwrap_or_default().display())
                }
            };
            let text = format!("{text}, client: {client}, server: {local}");
            let number = format!("*{} ", connection.number);
            self.main.put(targets, level, &line(level, &number, &text));
        }
    }
}

impl ProcessLog {
    /// Tells of a fault of the process.
    pub fn tell(&self, level: Level, text: &str) {
        if is_told(&self.targets, level) {
            self.put(&self.targets, level, &line(level, "", text));
        }
    }

    fn put(&self, targets: &[ErrorTarget], level: Level, line: &[u8]) {
        for target in targets.iter().filter(|target| level <= target.level) {
            match &target.to {
                LogTo::File(file) => self.files.write(file.0, line),
                // What cannot be told cannot be told of.
                LogTo::Stderr | LogTo::Syslog(_) => drop(std::io::stderr().write_all(line)),
            }
        }
    }
}

impl Exchange<'_> {
    /// Tells of a fault of this request in its error log, with who asked what (nginx:
    /// `ngx_http_log_error_handler`).
    pub fn log(&self, level: Level, message: &str) {
        let own = self.location.error_log.targets.as_slice();
        let targets = if own.is_empty() { self.logs.main.targets.as_slice() } else { own };
        if is_told(targets, level) {
            let number = format!("*{} ", self.connection.number);
            let text = format!("{message}{}", self.circumstances());
            self.logs.main.put(targets, level, &line(level, &number, &text));
        }
    }

    fn circumstances(&self) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let client = text(&self.remote.address_text());
        let mut out = format!(", client: {client}, server: {}", self.server.name());
        let mut add = |name: &str, value: &str| {
            for piece in [", ", name, ": \"", value, "\""] {
                out.push_str(piece);
            }
        };
        if !self.request.line.is_empty() {
            add("request", &text(&self.request.line));
        }
        if self.subrequest {
            add("subrequest", &text(&self.uri));
        }
        let tries = self.upstream.borrow();
        if let Some(one) = tries.last().filter(|one| !one.url.is_empty()) {
            add("upstream", &one.url);
        }
        if let Some(host) = self.request.headers.get("Host") {
            add("host", &text(host));
        }
        if let Some(referrer) = self.request.headers.get("Referer") {
            add("referrer", &text(referrer));
        }
        out
    }
}

/// Tells of a request once the exchange is out of reach: while its answer is read from an upstream.
#[derive(Clone, Debug)]
pub struct Teller {
    log: ProcessLog,
    targets: Vec<ErrorTarget>,
    number: String,
    circumstances: String,
}

impl Exchange<'_> {
    /// Who tells of this request later on, with what is known of it now.
    pub fn teller(&self) -> Teller {
        let own = &self.location.error_log.targets;
        let targets = if own.is_empty() { &self.logs.main.targets } else { own };
        Teller {
            log: self.logs.main.clone(),
            targets: targets.clone(),
            number: format!("*{} ", self.connection.number),
            circumstances: self.circumstances(),
        }
    }
}

impl Teller {
    /// Tells of a fault of the request, as [`Exchange::log`] does.
    pub fn tell(&self, level: Level, message: &str) {
        if is_told(&self.targets, level) {
            let text = format!("{message}{}", self.circumstances);
            self.log.put(&self.targets, level, &line(level, &self.number, &text));
        }
    }
}

fn is_told(targets: &[ErrorTarget], level: Level) -> bool {
    targets.iter().any(|target| level <= target.level)
}

/// A line with its end. Control characters are spelled out, so that nobody writes lines of his own
/// into the log, or to the terminal of who reads it.
fn line(level: Level, connection: &str, text: &str) -> Vec<u8> {
    let pid = std::process::id();
    let word = Level::WORDS.get(level as usize).copied().unwrap_or_default();
    let head = format!(" [{word}] {pid}#{pid}: {connection}");
    let mut line = Vec::with_capacity(256);
    line.extend_from_slice(&Now::get().log);
    line.extend_from_slice(head.as_bytes());
    for byte in text.bytes() {
        if byte < b' ' || byte == 0x7f {
            line.extend_from_slice(format!("\\x{byte:02X}").as_bytes());
        } else {
            line.push(byte);
        }
    }
    line.truncate(LONGEST - 1);
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_nginxs_form_and_a_bound() {
        let text = String::from_utf8(line(Level::Error, "*7 ", "it\nfailed")).unwrap();
        let pid = std::process::id();
        assert!(text.ends_with(&format!(" [error] {pid}#{pid}: *7 it\\x0Afailed\n")), "{text}");
        assert_eq!(text.find(" [").unwrap(), "1994/11/06 08:49:37".len());
        assert_eq!(line(Level::Error, "", &"x".repeat(5000)).len(), LONGEST);
    }
}
