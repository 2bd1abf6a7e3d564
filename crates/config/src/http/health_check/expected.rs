//! A `match` block: what the answer to a check must be like.

use bytes::Bytes;

use crate::directive::{Cx, Fault};
use crate::syntax::{Statement, Word};
use crate::value::number;
use crate::value::regex::Regex;
use crate::value::template::Template;

/// A `match` block; all of it must hold.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// Its name.
    pub name: String,
    /// What is said of the status.
    pub statuses: Vec<Statuses>,
    /// What is said of the fields.
    pub fields: Vec<(Bytes, FieldTest)>,
    /// What is said of the body.
    pub body: Vec<TextTest>,
    /// What must be neither empty nor `0`.
    pub required: Vec<(String, Template)>,
}

/// Statuses that are good, or those that are not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statuses {
    /// `!`: those that are not good.
    pub negated: bool,
    /// The first and the last of each range.
    pub ranges: Vec<(u16, u16)>,
}

/// What is said of a field.
#[derive(Clone, Debug)]
pub enum FieldTest {
    /// It is there.
    Present,
    /// It is not there.
    Absent,
    /// It has this value.
    Is(Bytes),
    /// It has another value, or is not there.
    IsNot(Bytes),
    /// Its value fits, or does not.
    Text(TextTest),
}

/// An expression that a text must match, or must not.
#[derive(Clone, Debug)]
pub struct TextTest {
    /// `!~`
    pub negated: bool,
    /// The expression.
    pub regex: Regex,
}

impl Statuses {
    /// Whether a status is good.
    pub fn allow(&self, status: u16) -> bool {
        let named = self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&status));
        named != self.negated
    }
}

impl TextTest {
    /// Whether a text is good; one that takes too many steps is not.
    pub fn allows(&self, text: &[u8]) -> bool {
        self.regex.is_match(text).is_ok_and(|matches| matches != self.negated)
    }
}

impl Expected {
    /// Reads one line of the block.
    pub(crate) fn line(&mut self, statement: &Statement, cx: &mut Cx<'_>) -> Result<(), Fault> {
        let (name, words) = (&statement.name, statement.args.as_slice());
        let number = || Fault::phrase("invalid number of arguments").at(name.span);
        match name.text.as_str() {
            "status" | "require" if words.is_empty() => return Err(number()),
            "status" => self.statuses.push(statuses(words)?),
            "header" => self.fields.push(field(words).ok_or_else(number)??),
            "body" => {
                let [how, text] = words else { return Err(number()) };
                self.body.push(text_test(how, text)?);
            }
            "require" => {
                for word in words {
                    if !word.text.starts_with('$') {
                        let text = format!("invalid variable name \"{}\"", word.text);
                        return Err(Fault::sentence(text).at(word.span));
                    }
                    self.required.push((word.text.clone(), Template::compile(word, cx)?));
                }
            }
            unknown => {
                let text = format!("unknown \"match\" test \"{unknown}\"");
                return Err(Fault::sentence(text)
                    .at(name.span)
                    .hint("known: status, header, body, require"));
            }
        }
        Ok(())
    }
}

/// `200 301-303`, or `! 500`.
fn statuses(words: &[Word]) -> Result<Statuses, Fault> {
    let (negated, words) = match words {
        [first, rest @ ..] if first.text == "!" => (true, rest),
        words => (false, words),
    };
    let mut ranges = Vec::with_capacity(words.len());
    for word in words {
        let (first, last) = word.text.split_once('-').unwrap_or((&word.text, &word.text));
        let code = |text: &str| {
            let code = number::parse(text).and_then(|code| u16::try_from(code).ok());
            code.filter(|code| (100..=999).contains(code))
        };
        let range = code(first).zip(code(last)).filter(|(first, last)| first <= last);
        ranges.push(range.ok_or_else(|| Fault::invalid_value(word).hint("200, or 200-399"))?);
    }
    Ok(Statuses { negated, ranges })
}

/// `Name`, `! Name`, or a name, what is asked of it, and a text; `None` where it is none of them.
fn field(words: &[Word]) -> Option<Result<(Bytes, FieldTest), Fault>> {
    let bytes = |word: &Word| Bytes::copy_from_slice(word.text.as_bytes());
    let (name, test) = match words {
        [name] if name.text != "!" => (name, Ok(FieldTest::Present)),
        [not, name] if not.text == "!" => (name, Ok(FieldTest::Absent)),
        [name, how, text] => (
            name,
            match how.text.as_str() {
                "=" => Ok(FieldTest::Is(bytes(text))),
                "!=" => Ok(FieldTest::IsNot(bytes(text))),
                _ => text_test(how, text).map(FieldTest::Text),
            },
        ),
        _ => return None,
    };
    Some(test.map(|test| (bytes(name), test)))
}

fn text_test(how: &Word, text: &Word) -> Result<TextTest, Fault> {
    let (negated, caseless) = match how.text.as_str() {
        "~" => (false, false),
        "!~" => (true, false),
        "~*" => (false, true),
        "!~*" => (true, true),
        _ => return Err(Fault::invalid_parameter(how).hint("known: ~, !~; for a field also =, !=")),
    };
    let regex = Regex::new(&text.text, caseless)
        .map_err(|error| Fault::sentence(error.to_string()).at(text.span))?;
    Ok(TextTest { negated, regex })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_named_or_ruled_out() {
        let some = Statuses { negated: false, ranges: vec![(200, 399), (404, 404)] };
        assert!(some.allow(200) && some.allow(399) && some.allow(404) && !some.allow(403));
        let others = Statuses { negated: true, ranges: vec![(500, 599)] };
        assert!(others.allow(499) && !others.allow(500) && !others.allow(599));
    }
}
