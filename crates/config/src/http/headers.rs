//! `add_header`, `add_trailer`, `expires`: fields of answers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::value::choice::choice;
use crate::value::template::Template;
use crate::value::time;

/// Fields that are added to answers.
#[derive(Clone, Debug, Directives)]
pub struct Headers {
    /// Adds a field to answers of 200, 201, 204, 206, 301, 302, 303, 304, 307 and 308, or, with
    /// `always`, to all.
    #[directive("add_header", also(LocationIf), repeat, parse = AddHeader::parse, args(2, 3))]
    pub add: Vec<AddHeader>,
    /// Adds a field behind the body, where that is sent in chunks.
    #[directive("add_trailer", also(LocationIf), repeat, parse = AddHeader::parse, args(2, 3))]
    pub trailers: Vec<AddHeader>,
    /// What becomes of the fields of the levels around: they are replaced by those of a level,
    /// dropped, or stand behind them.
    #[directive("add_header_inherit", also(LocationIf), default = "on")]
    pub inherit: Inherit,
    /// The same for fields behind the body.
    #[directive("add_trailer_inherit", also(LocationIf), default = "on")]
    pub trailers_inherit: Inherit,
    /// Sets `Expires` and `Cache-Control` by the time that an answer stays fresh.
    #[directive("expires", also(LocationIf), parse = Expires::parse, args(1, 2))]
    pub expires: Expires,
}

choice! {
    /// What becomes of the fields of the levels around.
    pub enum Inherit {
        /// A level's own take their place.
        On = "on",
        /// They are dropped.
        Off = "off",
        /// A level's own are added to them.
        Merge = "merge",
    }
}

impl Headers {
    /// Lets a level inherit as it says.
    pub(crate) fn inherit(this: &mut Arc<Self>, written: &HeadersWritten, parent: &Self) {
        if this.inherit == Inherit::On && this.trailers_inherit == Inherit::On {
            return;
        }
        let fields = |inherit, written: &Vec<AddHeader>, parent: &Vec<AddHeader>| match inherit {
            Inherit::On if written.is_empty() => parent.clone(),
            Inherit::On | Inherit::Off => written.clone(),
            Inherit::Merge => [written.as_slice(), parent].concat(),
        };
        let (add, trailers) = (
            fields(this.inherit, &written.add, &parent.add),
            fields(this.trailers_inherit, &written.trailers, &parent.trailers),
        );
        let headers = Arc::make_mut(this);
        (headers.add, headers.trailers) = (add, trailers);
    }
}

/// One `add_header`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddHeader {
    /// The field's name.
    pub name: Bytes,
    /// Its value; an empty one adds nothing.
    pub value: Template,
    /// Whether answers of all statuses get it.
    pub always: bool,
}

impl AddHeader {
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let always = match args.words.get(2) {
            None => false,
            Some(word) if word.text == "always" => true,
            Some(word) => {
                return Err(Fault::invalid_parameter(word).hint("only `always` may stand here"));
            }
        };
        Ok(Self {
            name: Bytes::copy_from_slice(args.first().text.as_bytes()),
            value: Template::compile(args.at(1), cx)?,
            always,
        })
    }
}

/// How long an answer stays fresh.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expires {
    /// Nothing is said.
    #[default]
    Off,
    /// A fixed rule.
    Fixed(Freshness),
    /// A rule in a variable.
    Variable(Template),
    /// `modified` with a rule in a variable.
    ModifiedVariable(Template),
}

/// A rule of freshness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// `epoch`: never fresh.
    Epoch,
    /// `max`: for ten years.
    Max,
    /// So many seconds from now; below zero is never fresh.
    Access(i64),
    /// So many seconds from the time the file was changed.
    Modified(i64),
    /// `@15h30m`: until this time of day, in seconds after midnight.
    Daily(i64),
    /// `off`.
    Off,
}

impl Freshness {
    /// Reads what `expires` says in one word (nginx: `ngx_http_parse_expires`).
    pub fn of(text: &str, modified: bool) -> Option<Self> {
        match text {
            "epoch" if !modified => return Some(Self::Epoch),
            "max" if !modified => return Some(Self::Max),
            "off" if !modified => return Some(Self::Off),
            _ => {}
        }
        let seconds = |text: &str| {
            let seconds = time::parse_seconds(text).as_ref().map(Duration::as_secs)?;
            i64::try_from(seconds).ok()
        };
        if let Some(time) = text.strip_prefix('@') {
            let time = seconds(time).filter(|time| *time <= 86_400 && !modified)?;
            return Some(Self::Daily(time));
        }
        let (sign, rest) = match text.strip_prefix(['+', '-']) {
            Some(rest) if text.starts_with('-') => (-1, rest),
            Some(rest) => (1, rest),
            None => (1, text),
        };
        let seconds = sign * seconds(rest)?;
        Some(if modified { Self::Modified(seconds) } else { Self::Access(seconds) })
    }
}

impl Expires {
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let modified = args.words.len() == 2;
        if modified && args.first().text != "modified" {
            return Err(Fault::phrase("invalid value").at(args.first().span));
        }
        let word = args.at(usize::from(modified));
        if word.text.contains('$') {
            let template = Template::compile(word, cx)?;
            return Ok(if modified {
                Self::ModifiedVariable(template)
            } else {
                Self::Variable(template)
            });
        }
        let rule = Freshness::of(&word.text, modified).ok_or_else(|| {
            let daily = word.text.strip_prefix('@').and_then(time::parse_seconds);
            let words = match daily {
                Some(_) if modified => "daily time cannot be used with \"modified\" parameter",
                Some(_) => "daily time value must be less than 24 hours",
                None => "invalid value",
            };
            let hint =
                "a time from now (30d), a time of the day (@15h30m), `epoch`, `max` or `off`";
            Fault::phrase(words).at(word.span).hint(hint)
        })?;
        Ok(if rule == Freshness::Off { Self::Off } else { Self::Fixed(rule) })
    }
}
