//! Regular expressions with PCRE's meaning, none of which a request can make hang.
//!
//! PCRE's syntax is translated to that of `fancy-regex`. Expressions without look-around,
//! back references, atomic groups and `\K` run in time linear in the subject; the others take a
//! bounded number of steps, and of time, and then give up. A byte of the subject is a character, as in PCRE
//! without its UTF mode; classes such as `\w` and folding of case know ASCII only.

mod class;
mod escape;
mod group;
mod quantifier;
mod translate;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use fancy_regex::{BytesMode, RegexBuilder};
use nix::time::{ClockId, clock_gettime};

use translate::{Subject, Translated, translate};

/// How often an expression may go back and try another way, before it is seen what that costs.
const FIRST_STEPS: u32 = 50;

/// How often it may do so then, and what that may be expected to cost, in milliseconds of the processor's
/// time; at last it gives up. Each step may look ahead over the whole subject, as in `(?=.*b)`, so that
/// steps alone say little. The first may cost more, for what is measured before it is so short that a
/// moment's disturbance must not decide. The second is enough to begin anew at each byte of what a head
/// can hold.
const MORE_STEPS: [(u32, u32); 3] = [(1_000, 20), (20_000, 5), (100_000, 5)];

/// A millisecond of a program that is built to be used. Those built for finding faults are slow.
const MILLISECOND: Duration = Duration::from_millis(if cfg!(debug_assertions) { 30 } else { 1 });

/// The bytes that one compiled expression may take.
const MAX_COMPILED: usize = 4 << 20;

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
    /// For subjects that do not end with a newline: `$` is the end, which needs no look-ahead.
    plain: Program,
    /// For those that do, if that makes a difference; compiled when the first one comes.
    /// `None` inside: it is too large.
    newline: Option<OnceLock<Option<Program>>>,
}

/// A translated expression.
struct Program {
    text: String,
    first: fancy_regex::Regex,
    /// The same with `MORE_STEPS`, compiled when first needed; unset where it never goes back.
    more: Option<[OnceLock<Option<fancy_regex::Regex>>; 3]>,
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

/// An expression took more steps than a request may cost.
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
        let translated = translate(pattern.as_bytes(), caseless, Subject::Plain)
            .map_err(|fault| error(fault.message.into_owned(), fault.at))?;
        let plain =
            Program::compile(&translated).map_err(|fault| error(words(&fault), pattern.len()))?;
        let shared = Shared {
            pattern: pattern.to_owned(),
            caseless,
            groups: translated.groups,
            names: translated.names,
            plain,
            newline: translated.minds_newline.then(OnceLock::new),
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

    /// Whether it matches anywhere in the subject.
    pub fn is_match(&self, subject: &[u8]) -> Result<bool, TooManySteps> {
        self.program(subject)?.run(|regex| regex.is_match(subject))
    }

    /// Finds the first match and tells where its groups lie; without one, `out` is left alone.
    pub fn captures(&self, subject: &[u8], out: &mut Captures) -> Result<bool, TooManySteps> {
        let program = self.program(subject)?;
        if self.shared.groups == 0 {
            let found = program.run(|regex| regex.find(subject))?;
            let Some(found) = found else { return Ok(false) };
            out.spans.clear();
            out.spans.push(Some((found.start(), found.end())));
            return Ok(true);
        }
        let found = program.run(|regex| regex.captures(subject))?;
        let Some(found) = found else { return Ok(false) };
        let span = |group| found.get(group).map(|found| (found.start(), found.end()));
        out.spans.clear();
        out.spans.extend((0..=self.shared.groups).map(span));
        Ok(true)
    }

    /// What is right for a subject with or without a newline at its end.
    fn program(&self, subject: &[u8]) -> Result<&Program, TooManySteps> {
        let Shared { pattern, caseless, plain, newline, .. } = &*self.shared;
        let program = match newline {
            Some(newline) if subject.ends_with(b"\n") => newline
                .get_or_init(|| {
                    let subject = Subject::EndsWithNewline;
                    let translated = translate(pattern.as_bytes(), *caseless, subject).ok()?;
                    Program::compile(&translated).ok()
                })
                .as_ref()
                .ok_or(TooManySteps)?,
            _ => plain,
        };
        Ok(program)
    }
}

impl Program {
    fn compile(translated: &Translated) -> Result<Self, fancy_regex::Error> {
        Ok(Self {
            text: translated.text.clone(),
            first: compile(&translated.text, FIRST_STEPS)?,
            more: translated.may_go_back().then(Default::default),
        })
    }

    /// Lets the expression act, with ever more steps as long as they cost little.
    fn run<T>(
        &self,
        act: impl Fn(&fancy_regex::Regex) -> Result<T, fancy_regex::Error>,
    ) -> Result<T, TooManySteps> {
        let Some(more) = &self.more else { return act(&self.first).map_err(|_| TooManySteps) };
        let (mut steps, mut begun) = (FIRST_STEPS, worked());
        let mut found = act(&self.first);
        for (next, (allowed, most)) in more.iter().zip(MORE_STEPS) {
            let spent = worked().saturating_sub(begun);
            if found.is_ok() || spent * (allowed / steps) > MILLISECOND * most {
                break;
            }
            let compiled = next.get_or_init(|| compile(&self.text, allowed).ok());
            let Some(regex) = compiled else { break };
            (steps, begun) = (allowed, worked());
            found = act(regex);
        }
        found.map_err(|_| TooManySteps)
    }
}

/// For how long this thread has been at work; others may be, too, meanwhile. By the C library, for
/// rustix's clock ends the process under valgrind.
fn worked() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

fn compile(text: &str, steps: u32) -> Result<fancy_regex::Regex, fancy_regex::Error> {
    RegexBuilder::new(text)
        .bytes_mode(BytesMode::Ascii)
        .backtrack_limit(steps as usize)
        .delegate_size_limit(MAX_COMPILED)
        .build()
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
