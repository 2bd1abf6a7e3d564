//! `more_set_headers` and its kin: fields of answers and of requests are set or taken away (the module
//! headers-more).

use std::sync::Arc;

use bytes::Bytes;
use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::syntax::Word;
use crate::value::template::Template;

/// Fields of answers and of requests are set or taken away.
#[derive(Clone, Debug, Directives)]
pub struct HeadersMore {
    /// Sets fields of answers, or takes them away, in order and before `add_header`: `Name: value`,
    /// `-s` for some statuses, `-t` for some types, `-a` to leave those that are there. A name that
    /// ends with `*` is all that begin so.
    #[directive(
        "more_set_headers",
        "more_clear_headers",
        also(LocationIf),
        repeat,
        parse = Change::parse,
        args(1, ..)
    )]
    pub answer: Vec<Change>,
    /// The same for fields of requests, after what is rewritten: `-t` for some types, `-r` for fields
    /// that are there.
    #[directive(
        "more_set_input_headers",
        "more_clear_input_headers",
        also(LocationIf),
        repeat,
        parse = Change::parse,
        args(1, ..)
    )]
    pub request: Vec<Change>,
}

impl HeadersMore {
    /// A level's own stand behind those of the levels around it.
    pub(crate) fn inherit(this: &mut Arc<Self>, written: &HeadersMoreWritten, parent: &Self) {
        let both = |written: &Vec<Change>, parent: &Vec<Change>| {
            let own = !written.is_empty() && !parent.is_empty();
            own.then(|| [parent.as_slice(), written].concat())
        };
        let answer = both(&written.answer, &parent.answer);
        let request = both(&written.request, &parent.request);
        if let Some(answer) = answer {
            Arc::make_mut(this).answer = answer;
        }
        if let Some(request) = request {
            Arc::make_mut(this).request = request;
        }
    }
}

/// What one directive changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The fields, in order.
    pub fields: Vec<Field>,
    /// The statuses that it holds for; none is all.
    pub statuses: Vec<u32>,
    /// The types that it holds for; none is all.
    pub types: Vec<Bytes>,
    /// Whether fields of the name stay, and another is added (`-a`).
    pub append: bool,
    /// Whether only a field that is there is changed (`-r`).
    pub replace: bool,
}

/// What becomes of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name; with `prefix`, what names begin with.
    pub name: Bytes,
    /// Whether all fields are meant whose names begin so.
    pub prefix: bool,
    /// Its value; nothing and an empty one take it away.
    pub value: Option<Template>,
}

impl Change {
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let mut change = Self::default();
        let mut words = args.words.iter();
        while let Some(word) = words.next() {
            if !word.text.starts_with('-') {
                change.fields.push(Field::parse(args, word, cx)?);
            } else if word.text == "-a" && args.name.text == "more_set_headers" {
                change.append = true;
            } else if word.text == "-r" && args.name.text.ends_with("_input_headers") {
                change.replace = true;
            } else if word.text == "-t" {
                let types = Self::list(args, word, words.next())?;
                let split = types.text.split([' ', '\t', ';']).filter(|kind| !kind.is_empty());
                change.types.extend(split.map(|kind| Bytes::copy_from_slice(kind.as_bytes())));
            } else if word.text == "-s" && !args.name.text.ends_with("_input_headers") {
                let list = Self::list(args, word, words.next())?;
                for status in list.text.split([' ', '\t']).filter(|status| !status.is_empty()) {
                    change.statuses.push(Self::status(args, list, status)?);
                }
            } else {
                let text = format!("{}: invalid option name: \"{}\"", args.name.text, word.text);
                return Err(Fault::sentence(text).at(word.span));
            }
        }
        Ok(change)
    }

    fn list<'a>(
        args: &Arguments<'_>,
        option: &Word,
        list: Option<&'a Word>,
    ) -> Result<&'a Word, Fault> {
        let text = format!("{}: option {} takes an argument.", args.name.text, option.text);
        list.ok_or_else(|| Fault::sentence(text).at(option.span))
    }

    fn status(args: &Arguments<'_>, list: &Word, status: &str) -> Result<u32, Fault> {
        let strange = status.chars().find(|c| !c.is_ascii_digit()).unwrap_or('0');
        let text = format!(
            "{}: invalid digit \"{strange}\" found in the status code list \"{}\"",
            args.name.text, list.text
        );
        let hint = "statuses with spaces between them: -s '404 500'";
        status.parse().map_err(|_| Fault::sentence(text).at(list.span).hint(hint))
    }
}

impl Field {
    fn parse(args: &Arguments<'_>, word: &Word, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let clears = args.name.text.starts_with("more_clear_");
        let (name, value) = word.text.split_once(':').unwrap_or((&word.text, ""));
        let (name, value) = (name.trim_ascii(), value.trim_ascii_start());
        if name == "*" {
            let text = format!("{}: wildcard key too short: {}", args.name.text, word.text);
            return Err(Fault::sentence(text).at(word.span));
        }
        if name.is_empty() {
            let text = format!("{}: no key found in \"{}\"", args.name.text, word.text);
            return Err(Fault::sentence(text).at(word.span).hint("write 'Name: value'"));
        }
        let sets = !clears && !value.is_empty();
        let framing = ["Content-Length", "Transfer-Encoding"];
        if sets && framing.iter().any(|framing| framing.eq_ignore_ascii_case(name)) {
            let text = format!("{}: \"{name}\" cannot be set", args.name.text);
            let hint = "it says how long the body is, and another length than the body's would let \
                        one end of the connection take a part of it for the next message";
            return Err(Fault::sentence(text).at(word.span).hint(hint));
        }
        let start = word.text.len() - value.len();
        let value = sets.then(|| {
            let text = word.text.get(start..).unwrap_or_default().to_owned();
            Template::compile(&Word { text, ..word.clone() }, cx)
        });
        Ok(Self {
            name: Bytes::copy_from_slice(name.strip_suffix('*').unwrap_or(name).as_bytes()),
            prefix: name.ends_with('*'),
            value: value.transpose()?,
        })
    }
}
