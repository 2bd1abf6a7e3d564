//! The error log: who tells what, and where it goes.

mod record;

use std::fmt::Display;

use tidegate_config::block::Server;
use tidegate_config::block::http::Socket;
use tidegate_config::http::error_log::{ErrorTarget, Level, LogTo};

use super::lost::Lost;
use super::stderr::Stderr;
use super::words::words;
use super::{Logs, ProcessLog, memory, syslog};
use crate::client::Connection;
use crate::exchange::{Exchange, UpstreamTry};
use crate::trace::Event;
use record::Record;

impl Logs {
    /// Tells of a fault of the process.
    pub fn tell(&self, level: Level, text: &str) {
        self.main.tell(level, text);
    }
}

impl Logs {
    /// Tells of a fault of a connection that is none of a request, in the error log of the server
    /// that stands for it.
    pub fn tell_of(
        &self,
        connection: &Connection,
        (socket, server): (&Socket, &Server),
        level: Level,
        text: &str,
    ) {
        let own = server.location.error_log.targets.as_slice();
        let targets = if own.is_empty() { self.main.targets.as_slice() } else { own };
        if connection.debug || is_told(targets, level) {
            let client = connection.peer.address_text();
            let client = String::from_utf8_lossy(&client);
            let more =
                vec![("client", client.into_owned()), ("server", socket.address.to_string())];
            let (connection, debug) = (Some(connection.number), connection.debug);
            self.main.put(targets, &Record { level, connection, debug, message: text, more });
        }
    }
}

impl ProcessLog {
    /// Tells of a fault of the process.
    pub fn tell(&self, level: Level, text: &str) {
        if is_told(&self.targets, level) {
            let record = Record::of_process(level, text);
            self.put(&self.targets, &record);
        }
    }

    fn put(&self, targets: &[ErrorTarget], record: &Record<'_>) {
        let told = |target: &&ErrorTarget| record.debug || record.level <= target.level;
        for target in targets.iter().filter(told) {
            let line = if target.json { record.json() } else { record.plain() };
            let bytes = line.as_slice();
            match &target.to {
                LogTo::File(file) => {
                    self.files.write(file.0, bytes);
                    self.tell_lost(file.0);
                }
                LogTo::Stderr => {
                    let stderr = Stderr::get();
                    if let Err(error) = stderr.write(bytes) {
                        stderr.lost.add(bytes, words(&error));
                    }
                    self.tell_lost_of(&stderr.lost, &"stderr");
                }
                LogTo::Memory(size) => {
                    memory::keep(usize::try_from(size.0).unwrap_or(usize::MAX), bytes);
                }
                LogTo::Syslog(settings) => {
                    let mut message = syslog::header(settings, record.level as u8);
                    message.extend_from_slice(bytes.strip_suffix(b"\n").unwrap_or(bytes));
                    if let Some(text) = self.files.send(settings.server, &message) {
                        self.tell_elsewhere(&text);
                    }
                }
            }
        }
    }

    /// Tells of lines that a file did not take, where it is time to.
    pub(super) fn tell_lost(&self, place: usize) {
        if let Some(log) = self.files.log(place) {
            self.tell_lost_of(&log.lost, &log.path.display());
        }
    }

    fn tell_lost_of(&self, lost: &Lost, name: &dyn Display) {
        if let Some((count, why)) = lost.due() {
            let text = format!("write() to \"{name}\" failed ({why}), lines lost: {count}");
            if self.tell_elsewhere(&text) {
                lost.told(count);
            }
        }
    }

    /// Tells of lines that were lost, wherever faults are told but by syslog; false where nobody
    /// takes that either.
    pub(super) fn tell_elsewhere(&self, text: &str) -> bool {
        let record = Record::of_process(Level::Alert, text);
        let mut taken = false;
        for target in &self.targets {
            taken |= match &target.to {
                LogTo::File(file) => {
                    self.files.log(file.0).is_some_and(|log| log.put(&record.plain()).is_ok())
                }
                LogTo::Stderr => Stderr::get().write(&record.plain()).is_ok(),
                LogTo::Memory(_) | LogTo::Syslog(_) => false,
            };
        }
        taken
    }
}

impl Exchange<'_> {
    /// Tells of a fault of this request in its error log, with who asked what (nginx:
    /// `ngx_http_log_error_handler`).
    pub fn log(&self, level: Level, message: &str) {
        if self.trace.is_some() {
            // What has not happened is not logged.
            return self.note(|| Event::Logged(level, message.to_owned()));
        }
        let targets = self.targets();
        if self.connection.debug || is_told(targets, level) {
            let (connection, debug) = (Some(self.connection.number), self.connection.debug);
            let more = self.circumstances();
            self.logs.main.put(targets, &Record { level, connection, debug, message, more });
        }
    }

    /// Whether all that happens to it is told.
    pub(super) fn is_debugged(&self) -> bool {
        self.connection.debug || is_told(self.targets(), Level::Debug)
    }

    /// Tells what happens to it, without who asked (nginx: `ngx_log_debug`).
    pub(super) fn debug(&self, message: &str) {
        let (connection, debug) = (Some(self.connection.number), self.connection.debug);
        let (level, more) = (Level::Debug, Vec::new());
        let record = Record { level, connection, debug, message, more };
        self.logs.main.put(self.targets(), &record);
    }

    fn targets(&self) -> &[ErrorTarget] {
        let own = self.location.error_log.targets.as_slice();
        if own.is_empty() { self.logs.main.targets.as_slice() } else { own }
    }

    fn circumstances(&self) -> Vec<(&'static str, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut out = vec![
            ("client", text(&self.remote.address_text())),
            ("server", self.server.name().to_owned()),
        ];
        if !self.request.line.is_empty() {
            out.push(("request", text(&self.request.line)));
        }
        if self.subrequest {
            out.push(("subrequest", text(&self.uri)));
        }
        let tries = self.upstream.borrow();
        if let Some(url) = tries.last().and_then(UpstreamTry::url) {
            out.push(("upstream", url));
        }
        if let Some(host) = self.request.headers.get("Host") {
            out.push(("host", text(host)));
        }
        if let Some(referrer) = self.request.headers.get("Referer") {
            out.push(("referrer", text(referrer)));
        }
        out
    }
}

/// Tells of a request once the exchange is out of reach: while its answer is read from an upstream.
#[derive(Clone, Debug)]
pub struct Teller {
    log: ProcessLog,
    targets: Vec<ErrorTarget>,
    number: u64,
    debug: bool,
    circumstances: Vec<(&'static str, String)>,
}

impl Exchange<'_> {
    /// Who tells of this request later on, with what is known of it now.
    pub fn teller(&self) -> Teller {
        Teller {
            log: self.logs.main.clone(),
            targets: self.targets().to_vec(),
            number: self.connection.number,
            debug: self.connection.debug,
            circumstances: self.circumstances(),
        }
    }
}

impl Teller {
    /// Tells of a fault of the request, as [`Exchange::log`] does.
    pub fn tell(&self, level: Level, message: &str) {
        if self.debug || is_told(&self.targets, level) {
            let (connection, more) = (Some(self.number), self.circumstances.clone());
            let debug = self.debug;
            self.log.put(&self.targets, &Record { level, connection, debug, message, more });
        }
    }
}

fn is_told(targets: &[ErrorTarget], level: Level) -> bool {
    targets.iter().any(|target| level <= target.level)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(connection: Option<u64>, message: &str) -> Record<'_> {
        let more = vec![("client", "::1".to_owned()), ("host", "a\"b".to_owned())];
        Record { level: Level::Error, connection, debug: false, message, more }
    }

    #[test]
    fn a_line_has_nginxs_form_and_a_bound() {
        let text = String::from_utf8(record(Some(7), "it\nfailed").plain()).unwrap();
        let pid = std::process::id();
        let end = format!(" [error] {pid}#{pid}: *7 it\\x0Afailed, client: ::1, host: \"a\"b\"\n");
        assert!(text.ends_with(&end), "{text}");
        assert_eq!(text.find(" [").unwrap(), "1994/11/06 08:49:37".len());
        assert_eq!(record(None, &"x".repeat(5000)).plain().len(), record::LONGEST);
    }

    #[test]
    fn a_line_of_json_is_one_object() {
        let text = String::from_utf8(record(Some(7), "it\n\u{1}failed").json()).unwrap();
        let pid = std::process::id();
        let end = format!(
            ",\"level\":\"error\",\"pid\":{pid},\"connection\":7,\"message\":\"it\\n\\u0001failed\",\
             \"client\":\"::1\",\"host\":\"a\\\"b\"}}\n"
        );
        assert!(text.starts_with("{\"time\":\"") && text.ends_with(&end), "{text}");
        assert!(record(None, &"x".repeat(5000)).json().len() < 3000);
    }
}
