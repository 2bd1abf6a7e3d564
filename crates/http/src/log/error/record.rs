//! One record of the error log, in nginx's format or as JSON.

use std::borrow::Cow;
use std::fmt::Write as _;

use tidegate_config::http::error_log::Level;
use tidegate_config::http::log::Escape;

use crate::date::Now;
use crate::log::escape::put;

/// The longest line, its end included, in bytes (nginx: `NGX_MAX_ERROR_STR`).
pub(super) const LONGEST: usize = 2048;

/// The longest value of a line of JSON, in bytes.
const LONGEST_VALUE: usize = 2048;

/// What is told.
pub(super) struct Record<'a> {
    pub(super) level: Level,
    /// The number of the connection.
    pub(super) connection: Option<u64>,
    /// Whether it is told whatever its level (`debug_connection`).
    pub(super) debug: bool,
    pub(super) message: &'a str,
    /// Who asked what, by name.
    pub(super) more: Vec<(&'static str, String)>,
}

impl<'a> Record<'a> {
    pub(super) fn of_process(level: Level, message: &'a str) -> Self {
        Self { level, connection: None, debug: false, message, more: Vec::new() }
    }
}

impl Record<'_> {
    pub(super) fn word(&self) -> &'static str {
        Level::WORDS.get(self.level as usize).copied().unwrap_or_default()
    }

    /// A line with its end. Control characters are spelled out, so that nobody writes lines of his
    /// own into the log, or to the terminal of who reads it.
    pub(super) fn plain(&self) -> Vec<u8> {
        let pid = std::process::id();
        let mut text = format!(" [{}] {pid}#{pid}: ", self.word());
        if let Some(number) = self.connection {
            let _ = write!(text, "*{number} ");
        }
        text += self.message;
        for (name, value) in &self.more {
            let _ = match *name {
                "client" | "server" => write!(text, ", {name}: {value}"),
                _ => write!(text, ", {name}: \"{value}\""),
            };
        }
        let mut line = Vec::with_capacity(text.len() + 32);
        line.extend_from_slice(&Now::get().log);
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

    /// An object with its end: `time`, `level`, `pid`, perhaps `connection`, `message`, and who asked
    /// what.
    pub(super) fn json(&self) -> Vec<u8> {
        let mut line = Vec::with_capacity(256);
        let string = |line: &mut Vec<u8>, name: &str, value: &[u8]| {
            line.extend_from_slice(format!("\"{name}\":\"").as_bytes());
            let value = value.get(..LONGEST_VALUE).unwrap_or(value);
            put(line, Some(String::from_utf8_lossy(value).as_bytes()), Escape::Json);
            line.push(b'"');
        };
        line.push(b'{');
        string(&mut line, "time", &Now::get().iso8601);
        line.push(b',');
        string(&mut line, "level", self.word().as_bytes());
        line.extend_from_slice(format!(",\"pid\":{}", std::process::id()).as_bytes());
        if let Some(number) = self.connection {
            line.extend_from_slice(format!(",\"connection\":{number}").as_bytes());
        }
        let more = self.more.iter().map(|(name, value)| (*name, Cow::Borrowed(value.as_str())));
        for (name, value) in std::iter::once(("message", self.message.into())).chain(more) {
            line.push(b',');
            string(&mut line, name, value.as_bytes());
        }
        line.extend_from_slice(b"}\n");
        line
    }
}
