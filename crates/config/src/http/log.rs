//! `access_log`, `log_format`: a line for every request.

use std::time::Duration;

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::names::{FileId, FormatId};
use crate::source::Span;
use crate::syntax::Word;
use crate::value::size::Size;
use crate::value::template::Template;
use crate::value::time;

/// A line for every request.
#[derive(Clone, Debug, Directives)]
pub struct Log {
    /// Where lines go, in which format, under which condition; or `off`.
    #[directive("access_log", also(LocationIf), also(LimitExcept), repeat, default = "logs/access.log",
        parse = AccessLog::parse, args(1, ..))]
    pub access: Vec<AccessLog>,
    /// Whether a missing file is told in the error log.
    #[directive("log_not_found", default = "on")]
    pub not_found: bool,
    /// Whether subrequests get lines too.
    #[directive("log_subrequest", default = "off")]
    pub subrequest: bool,
    /// How many log files with variables in their names are kept open.
    #[directive("open_log_file_cache", args(1, 4), ignored = "names of log files are fixed")]
    pub open_file_cache: Option<Vec<String>>,
}

impl Log {
    /// The files that lines go to.
    pub fn files(&self) -> impl Iterator<Item = FileId> {
        self.access.iter().filter_map(|log| match log {
            AccessLog::On(AccessTarget { to: AccessTo::File(file), .. }) => Some(*file),
            AccessLog::On(_) | AccessLog::Off => None,
        })
    }
}

/// The formats of lines.
#[derive(Clone, Debug, Directives)]
pub struct LogFormats {
    /// A format's name, how values are escaped, and the format.
    #[directive("log_format", only(Http), repeat, parse = LogFormat::parse, args(2, ..))]
    pub formats: Vec<LogFormat>,
}

/// One `access_log`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessLog {
    /// No line is written.
    Off,
    /// A line is written.
    On(AccessTarget),
}

/// A place for lines of requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessTo {
    /// A file.
    File(FileId),
    /// A file that each request names, absolute or under the prefix; it is opened for each line.
    Named(Template),
    /// Nowhere: a syslog server, as written after `syslog:`.
    Syslog(String),
}

/// Where and how a line is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessTarget {
    /// The place.
    pub to: AccessTo,
    /// The format.
    pub format: FormatId,
    /// The line is written unless this is empty or `0`.
    pub condition: Option<Template>,
    /// How many bytes are collected before they are written.
    pub buffer: Option<Size>,
    /// How long they are collected at most.
    pub flush: Option<Duration>,
}

/// One `log_format`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFormat {
    /// Its number.
    pub id: FormatId,
    /// How values are escaped.
    pub escape: Escape,
    /// The line without its end.
    pub line: Template,
}

/// How values are escaped in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// `"`, `\` and what cannot be printed as `\xXX`; nothing as `-`.
    Default,
    /// As in a JSON string.
    Json,
    /// Not at all.
    None,
}

/// nginx's own format.
pub const COMBINED: &str = "$remote_addr - $remote_user [$time_local] \"$request\" $status \
     $body_bytes_sent \"$http_referer\" \"$http_user_agent\"";

impl LogFormat {
    /// The format `combined`, which is always there.
    pub(crate) fn combined(cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = |text: &str| Word { text: text.to_owned(), span: Span::NONE, quoted: false };
        let id = cx.names.define_format(&word("combined"))?;
        Ok(Self { id, escape: Escape::Default, line: Template::compile(&word(COMBINED), cx)? })
    }

    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let id = cx.names.define_format(args.first())?;
        let mut escape = Escape::Default;
        let mut pieces = args.from(1);
        if let Some(word) = pieces.first()
            && let Some(how) = word.text.strip_prefix("escape=")
        {
            escape = match how {
                "default" => Escape::Default,
                "json" => Escape::Json,
                "none" => Escape::None,
                how => {
                    let text = format!("unknown log format escaping \"{how}\"");
                    return Err(Fault::sentence(text).at(word.span).hint("default, json or none"));
                }
            };
            pieces = args.from(2);
        }
        let mut line = Template::default();
        for word in pieces {
            line.parts.extend(Template::compile(word, cx)?.parts);
        }
        Ok(Self { id, escape, line })
    }
}

impl AccessLog {
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        if word.text == "off" {
            return match args.words.get(1) {
                None => Ok(Self::Off),
                Some(extra) => Err(Fault::invalid_parameter(extra).hint("`off` stands alone")),
            };
        }
        let to = match word.text.as_str() {
            text if text.starts_with("syslog:") => {
                let hint = "write to a file, or to stderr by error_log";
                cx.warn("lines of requests are not sent to syslog", word.span, hint);
                AccessTo::Syslog(text.trim_start_matches("syslog:").to_owned())
            }
            text if text.contains('$') => {
                let path = cx.under_prefix(text).to_string_lossy().into_owned();
                AccessTo::Named(Template::compile_text(&path, word, cx)?)
            }
            text => AccessTo::File(cx.names.file(cx.under_prefix(text))),
        };
        let combined = Word { text: "combined".to_owned(), span: word.span, quoted: false };
        let mut parameters = args.from(1);
        let format = match parameters.split_first() {
            Some((name, rest)) if !is_parameter(&name.text) => {
                parameters = rest;
                cx.names.format(name)
            }
            _ => cx.names.format(&combined),
        };
        let mut target = AccessTarget { to, format, condition: None, buffer: None, flush: None };
        for word in parameters {
            target.parameter(word, cx)?;
        }
        Ok(Self::On(target))
    }
}

fn is_parameter(text: &str) -> bool {
    ["buffer=", "flush=", "gzip", "if="].iter().any(|prefix| text.starts_with(prefix))
}

impl AccessTarget {
    fn parameter(&mut self, word: &Word, cx: &mut Cx<'_>) -> Result<(), Fault> {
        if let Some(size) = word.text.strip_prefix("buffer=") {
            let invalid =
                || Fault::sentence(format!("invalid buffer size \"{size}\"")).at(word.span);
            self.buffer = Some(Size::parse(size).filter(|size| size.0 > 0).ok_or_else(invalid)?);
        } else if let Some(time) = word.text.strip_prefix("flush=") {
            let invalid =
                || Fault::sentence(format!("invalid flush time \"{time}\"")).at(word.span);
            self.flush = Some(time::parse_milliseconds(time).ok_or_else(invalid)?);
        } else if let Some(condition) = word.text.strip_prefix("if=") {
            self.condition = Some(Template::compile_text(condition, word, cx)?);
        } else if word.text.starts_with("gzip") {
            cx.warn(
                "log files are not compressed",
                word.span,
                "leave `gzip` away, or compress when rotating",
            );
        } else {
            return Err(Fault::invalid_parameter(word));
        }
        Ok(())
    }
}
