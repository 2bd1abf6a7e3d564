//! `syslog:` in `access_log` and `error_log`: lines that go to a syslog server (nginx:
//! `ngx_syslog_process_conf`).

use std::path::PathBuf;

use crate::directive::{Cx, Fault};
use crate::syntax::Word;
use crate::value::address::{Form, Target};

/// The longest tag, in bytes.
const LONGEST_TAG: usize = 32;

/// The port of syslog servers.
const PORT: u16 = 514;

/// The names of facilities, by number.
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "intern", "lpr", "news", "uucp", "clock", "authpriv",
    "ftp", "ntp", "audit", "alert", "cron", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
];

/// The names of severities, by number.
const SEVERITIES: [&str; 8] =
    ["emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"];

/// Where and how lines are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syslog {
    /// The server.
    pub server: SyslogId,
    /// The facility's number.
    pub facility: u8,
    /// The severity's number, for lines that have no level of their own.
    pub severity: u8,
    /// What stands before each line.
    pub tag: String,
    /// Whether this machine's name stands before the tag.
    pub hostname: bool,
}

/// The number of a syslog server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SyslogId(pub usize);

/// A syslog server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SyslogServer {
    /// A socket of datagrams.
    Unix(PathBuf),
    /// A host and a port, over UDP.
    Udp(String),
}

impl Syslog {
    /// Reads what stands behind `syslog:`.
    pub(crate) fn parse(text: &str, word: &Word, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let fault = |text: String| Err(Fault::sentence(text).at(word.span));
        let (mut server, mut facility, mut severity, mut tag) = (None, None, None, None);
        let mut hostname = true;
        for parameter in text.split(',') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let twice = match name {
                "server" => server.is_some(),
                "facility" => facility.is_some(),
                "severity" => severity.is_some(),
                "tag" => tag.is_some(),
                _ => false,
            };
            if twice {
                return fault(format!("duplicate syslog \"{name}\""));
            }
            let place = |names: &[&str]| names.iter().position(|known| *known == value);
            match parameter.contains('=').then_some(name) {
                Some("server") => server = Some(SyslogServer::parse(value, word, cx)?),
                Some("facility") => match place(&FACILITIES) {
                    Some(number) => facility = Some(number as u8),
                    None => return fault(format!("unknown syslog facility \"{value}\"")),
                },
                Some("severity") => match place(&SEVERITIES) {
                    Some(number) => severity = Some(number as u8),
                    None => return fault(format!("unknown syslog severity \"{value}\"")),
                },
                Some("tag") if value.len() > LONGEST_TAG => {
                    return fault("syslog tag length exceeds 32".to_owned());
                }
                Some("tag") if !value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => {
                    return fault(
                        "syslog \"tag\" only allows alphanumeric characters and underscore"
                            .to_owned(),
                    );
                }
                Some("tag") => tag = Some(value.to_owned()),
                None if parameter == "nohostname" => hostname = false,
                _ => return fault(format!("unknown syslog parameter \"{parameter}\"")),
            }
        }
        let Some(server) = server else {
            return fault("no syslog server specified".to_owned());
        };
        Ok(Self {
            server: cx.names.syslog(server),
            facility: facility.unwrap_or(23),
            severity: severity.unwrap_or(6),
            tag: tag.unwrap_or_else(|| "nginx".to_owned()),
            hostname,
        })
    }
}

impl SyslogServer {
    fn parse(text: &str, word: &Word, cx: &Cx<'_>) -> Result<Self, Fault> {
        let fault = |what: &str| {
            let text = format!("{what} in syslog server \"{text}\"");
            let hint = "an address, perhaps with a port (514), or unix: and a path";
            Fault::sentence(text).at(word.span).hint(hint)
        };
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Self::Unix(cx.under_prefix(path)));
        }
        let target = Target::parse(text, PORT, Form::Server);
        let target = target.map_err(|error| fault(&error.to_string()))?;
        Ok(Self::Udp(if target.has_port { text.to_owned() } else { format!("{text}:{PORT}") }))
    }
}
