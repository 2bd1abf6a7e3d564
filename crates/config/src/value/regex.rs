//! Regular expressions with PCRE's meaning, none of which a request can make hang.
//!
//! PCRE's syntax is translated to that of `fancy-regex`. Expressions without look-around,
//! back references, atomic groups and `\K` run in time linear in the subject; the others may do a
//! bounded amount of work (`effort.rs`), which is counted, so that a request gets the same answer however
//! busy the machine is. A byte of the subject is a character, as in PCRE without its UTF mode; classes
//! such as `\w` and folding of case know ASCII only.

mod class;
mod effort;
mod escape;
mod group;
mod program;
mod quantifier;
mod required;
mod sieve;
mod translate;
mod wanted;

use std::fmt;
use std::sync::{Arc, OnceLock};

pub use effort::Effort;
use effort::Metered;
use program::Program;
pub(crate) use sieve::Sieve;
use translate::Subject;

/// A compiled regular expression; cheap to clone.
#[derive(Clone)]
pub struct Regex {
    shared: Arc<Shared>,
}

struct Shared {
    pattern: String,
    caseless: bool,
    groups: usize,
    names: Vec<(usize, String)>,
    /// What every subject that matches begins with.
    start: Vec<u8>,
    /// For subjects that do not end with a newline: `$` is the end, which needs no look-ahead.
    plain: Program,
    /// For those that do, if that makes a difference; compiled when the first one comes.
    /// `None` inside: it is too large.
    newline: Option<OnceLock<Option<Program>>>,
    /// Texts in lower case one of which is in every subject that matches; found when it is first asked for.
    required: OnceLock<Option<Vec<Vec<u8>>>>,
}

/// What is wrong with an expression, in nginx's and PCRE's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pcre2_compile() failed: {message} in \"{pattern}\"{}", At(.rest))]
pub struct RegexError {
    message: String,
    pattern: String,
    rest: String,
}

struct At<'a>(&'a str);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " at \"{}\"", self.0) }
    }
}

/// An expression took more work than a request may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the regular expression takes too many steps")]
pub struct TooManySteps;

/// Which bytes of a subject each group has matched; group 0 is the whole match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captures {
    spans: Vec<Option<(usize, usize)>>,
}

impl Captures {
    /// Where a group begins and ends, if it took part in the match.
    pub fn get(&self, group: usize) -> Option<(usize, usize)> {
        self.spans.get(group).copied().flatten()
    }

    /// The number of groups, the whole match included.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether nothing has matched yet.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }
}

impl Regex {
    /// Compiles PCRE's syntax; `caseless` as for `~*`.
    pub fn new(pattern: &str, caseless: bool) -> Result<Regex, RegexError> {
        let error = |message: String, at: usize| {
            let rest = pattern.as_bytes().get(at..).unwrap_or_default();
            let rest = String::from_utf8_lossy(rest).into_owned();
            RegexError { message, pattern: pattern.to_owned(), rest }
        };
        let (plain, translated) = Program::compile(pattern, caseless, Subject::Plain)
            .map_err(|fault| error(fault.message.into_owned(), fault.at))?
            .map_err(|fault| error(words(&fault), pattern.len()))?;
        let shared = Shared {
            pattern: pattern.to_owned(),
            caseless,
            groups: translated.groups,
            names: translated.names,
            start: if caseless { Vec::new() } else { start(pattern) },
            plain,
            newline: translated.minds_newline.then(OnceLock::new),
            required: OnceLock::new(),
        };
        Ok(Regex { shared: Arc::new(shared) })
    }

    /// The expression as it was written.
    pub fn pattern(&self) -> &str {
        &self.shared.pattern
    }

    /// The number of groups, the whole match included.
    pub fn groups(&self) -> usize {
        self.shared.groups + 1
    }

    /// The named groups, by their numbers.
    pub fn names(&self) -> Vec<(usize, String)> {
        self.shared.names.clone()
    }

    /// Texts in lower case one of which is, in whatever case, in every subject that matches; `None`
    /// where that cannot be told.
    fn required(&self) -> Option<&[Vec<u8>]> {
        let Shared { pattern, caseless, required, .. } = &*self.shared;
        required.get_or_init(|| required::required(pattern, *caseless)).as_deref()
    }

    /// A number that it shares with its clones alone, as long as there is one.
    pub(crate) fn identity(&self) -> usize {
        Arc::as_ptr(&self.shared).addr()
    }

    /// Whether most subjects are refused by their beginning alone.
    fn has_start(&self) -> bool {
        !self.shared.start.is_empty()
    }

    /// Whether it matches anywhere in the subject.
    pub fn is_match(&self, subject: &[u8]) -> Result<bool, TooManySteps> {
        // Nothing is not compared: some processors take long to read none of the bytes at no place.
        let start = &*self.shared.start;
        if !start.is_empty() && !subject.starts_with(start) {
            return Ok(false);
        }
        let Program { regex, winding } = self.program(subject)?;
        match winding {
            None => regex.is_match(subject).map_err(|_| TooManySteps),
            Some(winding) => {
                let ask =
                    |regex: &fancy_regex::Regex, subject: &Metered<'_>| regex.is_match(subject);
                winding.run(regex, subject, &mut Effort::default(), ask)
            }
        }
    }

    /// Finds the first match and tells where its groups lie; without one, `out` is left alone. What
    /// work it takes is taken from `effort`, if it is one that may go back.
    pub fn captures(
        &self,
        subject: &[u8],
        out: &mut Captures,
        effort: &mut Effort,
    ) -> Result<bool, TooManySteps> {
        // Nothing is not compared: some processors take long to read none of the bytes at no place.
        let start = &*self.shared.start;
        if !start.is_empty() && !subject.starts_with(start) {
            return Ok(false);
        }
        let Program { regex, winding } = self.program(subject)?;
        let groups = self.shared.groups;
        match winding {
            None => spans(regex, subject, groups, out).map_err(|_| TooManySteps),
            Some(winding) => {
                let ask = |regex: &fancy_regex::Regex, subject: &Metered<'_>| {
                    spans(regex, subject, groups, out)
                };
                winding.run(regex, subject, effort, ask)
            }
        }
    }

    /// What is right for a subject with or without a newline at its end.
    fn program(&self, subject: &[u8]) -> Result<&Program, TooManySteps> {
        let Shared { pattern, caseless, plain, newline, .. } = &*self.shared;
        let program = match newline {
            Some(newline) if subject.ends_with(b"\n") => newline
                .get_or_init(|| {
                    let subject = Subject::EndsWithNewline;
                    Program::compile(pattern, *caseless, subject).ok()?.ok().map(|(it, _)| it)
                })
                .as_ref()
                .ok_or(TooManySteps)?,
            _ => plain,
        };
        Ok(program)
    }
}

/// What a subject must begin with, as far as that is plain to see: an anchor and what stands for itself
/// behind it.
fn start(pattern: &str) -> Vec<u8> {
    let Some(rest) = pattern.strip_prefix('^').filter(|_| !pattern.contains('|')) else {
        return Vec::new();
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_".contains(&byte);
    let mut start: Vec<u8> = rest.bytes().take_while(|byte| is_plain(*byte)).collect();
    // The last one may be there as often as is said behind it, or behind what is nothing.
    let behind = rest.get(start.len()..).unwrap_or_default();
    if ["*", "?", "{", "(?#", "\\E", "\\Q"].iter().any(|sign| behind.starts_with(sign)) {
        start.pop();
    }
    start
}

/// Where the first match and its groups lie.
fn spans<'s, S>(
    regex: &fancy_regex::Regex,
    subject: &'s S,
    groups: usize,
    out: &mut Captures,
) -> Result<bool, fancy_regex::Error>
where
    S: fancy_regex::Input<Match<'s> = fancy_regex::MatchBytes<'s>> + ?Sized,
{
    let span = |found: fancy_regex::MatchBytes<'_>| (found.start(), found.end());
    if groups == 0 {
        let Some(found) = regex.find(subject)? else { return Ok(false) };
        out.spans.clear();
        out.spans.push(Some(span(found)));
        return Ok(true);
    }
    let Some(found) = regex.captures(subject)? else { return Ok(false) };
    out.spans.clear();
    out.spans.extend((0..=groups).map(|group| found.get(group).map(span)));
    Ok(true)
}

/// What `fancy-regex` did not like about what the translation gave it.
fn words(fault: &fancy_regex::Error) -> String {
    match fault {
        fancy_regex::Error::ParseError(_, fancy_regex::ParseError::RecursionExceeded) => {
            "parentheses are too deeply nested".to_owned()
        }
        fault => format!("regular expression is too large or not supported ({fault})"),
    }
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = if self.shared.caseless { "~*" } else { "~" };
        write!(f, "Regex({operator} {})", self.shared.pattern)
    }
}

impl fmt::Display for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.pattern())
    }
}

impl PartialEq for Regex {
    fn eq(&self, other: &Regex) -> bool {
        let key = |regex: &Regex| (regex.shared.pattern.clone(), regex.shared.caseless);
        key(self) == key(other)
    }
}

impl Eq for Regex {}

#[cfg(test)]
mod tests;
