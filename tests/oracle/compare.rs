//! The two servers side by side.
#![allow(dead_code)] // not every noun needs every word

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::deliberate::{DELIBERATE, PENDING};
use super::difference::difference;
use super::nginx::{every_module, oracle};
use super::normal;
use super::side::Side;
use crate::harness::ask::Ask;
use crate::harness::process;
use crate::harness::server::Start;
use crate::harness::tls::{self, Made};
use crate::harness::{Backend, DEADLINE, Tidegate};

/// What every `http` block starts with, unless the configuration says `types` itself: tidegate
/// guesses types where a configuration has none.
const TYPES: &str = "types { text/html html; text/css css; text/plain txt; image/png png; \
    application/json json; application/javascript js; text/xml xml; }\n";

/// What is compared of the access log.
const LOG: &str = "log_format compare '$remote_addr $remote_user \"$request\" status=$status \
    \"$http_referer\" \"$http_user_agent\" $request_length $connection_requests \
    [$request_completion] $server_name:$server_port $host $uri args=[$args] bytes=$body_bytes_sent';\n\
    access_log logs/access.log compare;\n";

/// A configuration that both servers run.
pub struct Alike {
    conf: String,
    files: Vec<(String, Vec<u8>)>,
    backends: Vec<(u16, Backend)>,
    mainline: bool,
    every_module: bool,
    logs: bool,
    http2: bool,
    errors: bool,
    clients: HashMap<String, Made>,
}

/// Starts with a configuration (bare blocks of `http`).
pub fn alike(conf: &str) -> Alike {
    let types = if conf.contains("types {") { "" } else { TYPES };
    let log = if conf.contains("access_log") { "" } else { LOG };
    let conf = format!("{types}{log}{conf}");
    Alike {
        conf,
        files: Vec::new(),
        backends: Vec::new(),
        mainline: false,
        every_module: false,
        logs: true,
        http2: false,
        errors: false,
        clients: HashMap::new(),
    }
}

impl Alike {
    /// Puts the same file under both roots.
    pub fn with_file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.with_prefix_file(&format!("html/{path}"), content)
    }

    /// Puts the same file under both prefixes.
    pub fn with_prefix_file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.files.push((path.to_owned(), content.as_ref().to_owned()));
        self
    }

    /// Puts the same certificate and key under both prefixes: `cert.pem`, `key.pem`.
    pub fn with_certificate(self, names: &[&str]) -> Self {
        let made = tls::certificate(names);
        self.with_prefix_file("cert.pem", made.certificate).with_prefix_file("key.pem", made.key)
    }

    /// Lets requests show this certificate, by its name behind a `+`.
    pub fn with_client(mut self, name: &str, made: &Made) -> Self {
        self.clients.insert(name.to_owned(), made.clone());
        self
    }

    /// Lets a backend stand behind a port of the configuration, for both.
    pub fn with_backend(mut self, port: u16, backend: Backend) -> Self {
        self.backends.push((port, backend));
        self
    }

    /// Says that nginx before 1.31 answers otherwise.
    pub fn mainline(mut self) -> Self {
        self.mainline = true;
        self
    }

    /// Says that the nginx is needed that has all modules, which is Debian's.
    pub fn every_module(mut self) -> Self {
        self.every_module = true;
        self
    }

    /// Asks over HTTP/2, one connection a port.
    pub fn over_http2(mut self) -> Self {
        self.conf = format!("http2 on;\n{}", self.conf);
        self.http2 = true;
        self
    }

    /// Leaves the access logs uncompared.
    pub fn without_logs(mut self) -> Self {
        self.logs = false;
        self
    }

    /// Compares what the error logs say of requests, too.
    pub fn with_errors(mut self) -> Self {
        self.errors = true;
        self
    }

    /// Asks both, and fails with all that differs.
    pub async fn answers(self, asks: &[&str]) {
        let found = if self.every_module { every_module() } else { oracle() };
        let Some(oracle) = found else { return };
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        let pending = !process::serves() || PENDING.iter().any(|name| test.ends_with(name));
        if pending && std::env::var_os("TIDEGATE_PENDING").is_none() {
            eprintln!("skipped: pending");
            return;
        }
        if self.mainline && !oracle.mainline {
            eprintln!("skipped: this nginx is older than 1.31");
            return;
        }
        let folder = TempDir::new().expect("a temporary folder");
        // The paths of the two have one length, so that they may stand in a body.
        let first = self.start(&folder, "one").with_binary(&oracle.binary).await;
        let second = self.start(&folder, "two").with_binary(&process::binary()).await;
        let side = |server| Side::of(server, self.http2, &self.clients);
        let mut sides = [side(&first), side(&second)];
        let (mut differences, mut deliberate) = (Vec::new(), false);
        for text in asks {
            let ask = Ask::of(text);
            let mut said = Vec::new();
            for side in &mut sides {
                said.push(self.one(side, &ask).await);
            }
            let agree = said[0] == said[1];
            // Where nginx stands on both sides, nothing differs on purpose.
            let reason = reason(&test, text).filter(|_| process::is_ours());
            deliberate |= reason.is_some();
            match reason {
                Some(reason) if agree => {
                    differences.push(format!("{text}\nagrees, but is listed as: {reason}\n"));
                }
                None if !agree => differences.push(difference(text, &said[0], &said[1])),
                _ => {}
            }
        }
        drop(sides);
        if self.logs && !deliberate && differences.is_empty() {
            differences.extend(logs(&first, &second, "access", normal::log_line).await);
            if self.errors {
                differences.extend(logs(&first, &second, "error", normal::error_line).await);
            }
        }
        let count = differences.len();
        assert!(count == 0, "{count} of {} differ\n\n{}", asks.len(), differences.join("\n"));
    }

    fn start(&self, folder: &TempDir, name: &str) -> Start {
        let start = Tidegate::start(&self.conf).in_folder(&folder.path().join(name));
        let start = self
            .backends
            .iter()
            .fold(start, |start, (port, backend)| start.with_port(*port, backend.port()));
        self.files
            .iter()
            .fold(start, |start, (path, content)| start.with_prefix_file(path, content))
    }

    /// The answer to one request, and what backends were sent for it.
    async fn one(&self, side: &mut Side<'_>, ask: &Ask) -> String {
        let mut text = if ask.raw { side.raw(ask).await } else { side.ask(ask).await };
        for (port, backend) in &self.backends {
            for request in backend.received() {
                let request = side.server.anonymous(&request);
                text += &format!("\n>>> {port} received\n{request}");
            }
        }
        text
    }
}

/// What is to be said of the logs of this kind, once both are complete.
async fn logs(
    first: &Tidegate,
    second: &Tidegate,
    kind: &str,
    line: fn(&Tidegate, &str) -> String,
) -> Option<String> {
    let read = |server: &Tidegate| {
        let text = server.read(&format!("logs/{kind}.log"));
        let mut lines: Vec<_> = text.lines().map(|text| line(server, text)).collect();
        lines.retain(|line| !line.is_empty());
        lines.sort();
        lines.join("\n")
    };
    let end = Instant::now() + DEADLINE;
    while read(first) != read(second) {
        if Instant::now() > end {
            return Some(difference(&format!("the {kind} log"), &read(first), &read(second)));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    None
}

fn reason(test: &str, ask: &str) -> Option<&'static str> {
    let mut known = DELIBERATE.iter();
    known.find(|(name, request, _)| test.ends_with(name) && *request == ask).map(|known| known.2)
}

/// A backend that answers with the request it got, or with the answer that stands behind the
/// first of these words its request line contains; `{host}` in it is the request's `Host`.
pub async fn echo(answers: &'static [(&'static str, &'static str)]) -> Backend {
    Backend::http(move |request| {
        let mut lines = request.split("\r\n");
        let line = lines.next().unwrap_or_default();
        let host = lines.find_map(|line| line.strip_prefix("Host: ")).unwrap_or_default();
        let scripted = answers.iter().find(|(word, _)| line.contains(word));
        match scripted {
            Some((_, answer)) => answer.replace("{host}", host),
            None => crate::harness::backend::ok(request),
        }
    })
    .await
}
