//! `error_log`: where faults are told, and which.

use std::path::Path;

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::http::syslog::Syslog;
use crate::names::FileId;
use crate::syntax::Word;
use crate::value::choice::choice;
use crate::value::size::Size;

/// Where faults of requests are told.
#[derive(Clone, Debug, Directives)]
pub struct ErrorLog {
    /// A file, `stderr`, `syslog:…` or `memory:SIZE`, the least grave level that is told there, and perhaps `json` for
    /// lines that are objects of JSON.
    #[directive("error_log", repeat, parse = ErrorTarget::parse, args(1, ..))]
    pub targets: Vec<ErrorTarget>,
}

/// Where faults of the process are told.
#[derive(Clone, Debug, Directives)]
pub struct MainErrorLog {
    /// A file, `stderr`, `syslog:…` or `memory:SIZE`, the least grave level that is told there, and perhaps `json` for
    /// lines that are objects of JSON.
    #[directive("error_log", only(Main), repeat, parse = ErrorTarget::parse, args(1, ..))]
    pub targets: Vec<ErrorTarget>,
}

/// One place where faults are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorTarget {
    /// The place.
    pub to: LogTo,
    /// The least grave level that is told.
    pub level: Level,
    /// Whether lines are objects of JSON.
    pub json: bool,
}

/// A place for lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTo {
    /// A file.
    File(FileId),
    /// Standard error.
    Stderr,
    /// A syslog server.
    Syslog(Syslog),
    /// So much memory, whose newest lines `tidegate log` prints.
    Memory(Size),
}

choice! {
    /// How grave a fault is, the gravest first.
    #[derive(PartialOrd, Ord)]
    pub enum Level {
        /// The system cannot be used.
        Emerg = "emerg",
        /// Act at once.
        Alert = "alert",
        /// Critical.
        Crit = "crit",
        /// A request failed.
        Error = "error",
        /// Something is odd.
        Warn = "warn",
        /// Something worth knowing.
        Notice = "notice",
        /// What is going on.
        Info = "info",
        /// Everything.
        Debug = "debug",
    }
}

/// The parts of nginx that may be told of alone; all that is told at this level is told for each.
const DEBUG: [&str; 7] = [
    "debug_core",
    "debug_alloc",
    "debug_mutex",
    "debug_event",
    "debug_http",
    "debug_mail",
    "debug_stream",
];

impl ErrorTarget {
    /// Where faults are told when the configuration says nothing of it (nginx: `-e`, else
    /// `logs/error.log`).
    pub(crate) fn unsaid(path: Option<&Path>, cx: &mut Cx<'_>) -> Self {
        let path = path.unwrap_or(Path::new("logs/error.log"));
        let to = if path == Path::new("stderr") {
            LogTo::Stderr
        } else {
            LogTo::File(cx.names.file(cx.prefix.join(path)))
        };
        Self { to, level: Level::Error, json: false }
    }

    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        let to = match word.text.as_str() {
            "stderr" => LogTo::Stderr,
            text if text.starts_with("memory:") => memory(word)?,
            text => match text.strip_prefix("syslog:") {
                Some(settings) => LogTo::Syslog(Syslog::parse(settings, word, cx)?),
                None => LogTo::File(cx.names.file(cx.under_prefix(text))),
            },
        };
        let (mut level, mut json, mut debug) = (None, false, false);
        for word in args.from(1) {
            if word.text == "json" {
                json = true;
                continue;
            }
            let part = DEBUG.contains(&word.text.as_str());
            let another = Level::of(&word.text).is_some() || part && !debug;
            if level.is_some() && another {
                let text = format!("duplicate log level \"{}\"", word.text);
                let hint = "say the least grave one alone: graver ones are told with it";
                return Err(Fault::sentence(text).at(word.span).hint(hint));
            }
            debug |= part;
            level = Some(match word.text.as_str() {
                text if DEBUG.contains(&text) => Level::Debug,
                text => Level::of(text).ok_or_else(|| {
                    Fault::sentence(format!("invalid log level \"{text}\"")).at(word.span).hint(
                        format!(
                            "one of: {}; and `json` for lines of JSON",
                            Level::WORDS.join(", ")
                        ),
                    )
                })?,
            });
        }
        Ok(Self { to, level: level.unwrap_or(Level::Error), json })
    }
}

/// nginx wants room for the line that marks the buffer; here for one line of a fault.
fn memory(word: &Word) -> Result<LogTo, Fault> {
    const LEAST: u64 = 2048;
    let text = word.text.strip_prefix("memory:").unwrap_or_default();
    let size = Size::parse(text).filter(|size| size.0 >= LEAST);
    size.map(LogTo::Memory).ok_or_else(|| {
        Fault::sentence(format!("invalid buffer size \"{text}\""))
            .at(word.span)
            .hint("at least 2k, as in memory:32m")
    })
}
