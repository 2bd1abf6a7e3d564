//! `access_log`, `log_format`: a line for every request.

use std::time::Duration;

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::http::syslog::Syslog;
use crate::names::{FileId, FormatId};
use crate::source::Span;
use crate::syntax::Word;
use crate::value::number;
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
    /// How many log files with variables in their names are kept open (`max=`), how long without use
    /// (`inactive=`), after how many uses (`min_uses=`), and when it is looked whether they are still
    /// those of their names (`valid=`); or `off`.
    #[directive("open_log_file_cache", parse = OpenLogFiles::parse, args(1, 4))]
    pub open_file_cache: Option<OpenLogFiles>,
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
    /// A format's name, how values are escaped, and the format. Without escaping, too, control
    /// characters but tabs are spelled out, so that no request writes lines of its own.
    #[directive("log_format", only(Http), repeat, parse = LogFormat::parse, args(2, ..))]
    pub formats: Vec<LogFormat>,
}

/// The log files with variables in their names that are kept open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenLogFiles {
    /// How many.
    pub max: u32,
    /// How long without use.
    pub inactive: Duration,
    /// After how many uses.
    pub min_uses: u32,
    /// After how long it is looked whether they are still those of their names.
    pub valid: Duration,
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
    /// A file that each request names, absolute or under the prefix.
    Named(Template),
    /// A syslog server.
    Syslog(Syslog),
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
    /// How hard what is collected is compressed, from 1 to 9; `None` leaves it plain.
    pub gzip: Option<u32>,
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
                AccessTo::Syslog(Syslog::parse(text.trim_start_matches("syslog:"), word, cx)?)
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
        let mut target =
            AccessTarget { to, format, condition: None, buffer: None, flush: None, gzip: None };
        for word in parameters {
            target.parameter(word, cx)?;
        }
        target.check(word, cx)?;
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
        } else if word.text == "gzip" {
            self.gzip = Some(1);
        } else if let Some(level) = word.text.strip_prefix("gzip=") {
            let known = number::parse(level).filter(|level| (1..=9).contains(level));
            let level = known.and_then(|level| u32::try_from(level).ok()).ok_or_else(|| {
                Fault::sentence(format!("invalid compression level \"{level}\"")).at(word.span)
            })?;
            self.gzip = Some(level);
        } else {
            return Err(Fault::invalid_parameter(word));
        }
        Ok(())
    }

    /// What goes with what (nginx: the end of `ngx_http_log_set_log`).
    fn check(&mut self, word: &Word, cx: &mut Cx<'_>) -> Result<(), Fault> {
        let fault = |text: &str| Err(Fault::sentence(text.to_owned()).at(word.span));
        if self.gzip.is_some() {
            self.buffer.get_or_insert(Size(64 * 1024));
        }
        if self.buffer.is_none() {
            let text = format!("no buffer is defined for access_log \"{}\"", word.text);
            return if self.flush.is_some() { fault(&text) } else { Ok(()) };
        }
        match &self.to {
            AccessTo::Named(_) => fault("buffered logs cannot have variables in name"),
            AccessTo::Syslog(_) => fault("logs to syslog cannot be buffered"),
            AccessTo::File(file) => {
                let own = (self.buffer, self.flush, self.gzip);
                if *cx.names.log_buffers.entry(*file).or_insert(own) == own {
                    return Ok(());
                }
                let text = format!(
                    "access_log \"{}\" already defined with conflicting parameters",
                    word.text
                );
                fault(&text)
            }
        }
    }
}

impl OpenLogFiles {
    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Option<Self>, Fault> {
        let (mut max, mut inactive) = (None, Duration::from_secs(10));
        let (mut min_uses, mut valid) = (1, Duration::from_mins(1));
        for word in args.words {
            let invalid = || Fault::invalid_parameter(word);
            let count = |text: &str| number::parse(text).and_then(|n| u32::try_from(n).ok());
            match word.text.split_once('=') {
                None if word.text == "off" => return Ok(None),
                Some(("max", text)) => {
                    max = Some(count(text).filter(|max| *max > 0).ok_or_else(invalid)?);
                }
                Some(("inactive", text)) => {
                    inactive = time::parse_seconds(text).ok_or_else(invalid)?;
                }
                Some(("min_uses", text)) => min_uses = count(text).ok_or_else(invalid)?,
                Some(("valid", text)) => valid = time::parse_seconds(text).ok_or_else(invalid)?,
                _ => return Err(invalid()),
            }
        }
        let max = max.ok_or_else(|| {
            Fault::sentence("\"open_log_file_cache\" must have \"max\" parameter")
                .at(args.name.span)
        })?;
        Ok(Some(Self { max, inactive, min_uses, valid }))
    }
}
