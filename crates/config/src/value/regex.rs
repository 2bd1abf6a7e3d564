//! Regular expressions with PCRE's meaning, bounded in time.

use std::fmt;

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Regex {
    text: String,
    program: fancy_regex::Regex,
}

/// Why an expression cannot be compiled.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct RegexError(String);

/// The expression took too many steps on this subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many steps")]
pub struct TooManySteps;

/// Where the groups of a match lie, in bytes; the whole match is group 0.
#[derive(Clone, Debug, Default)]
pub struct Captures {
    spans: Vec<Option<(usize, usize)>>,
}

impl Captures {
    /// Where a group lies, if it took part.
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

impl fmt::Display for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Regex {
    /// Compiles an expression.
    pub fn new(pattern: &str, caseless: bool) -> Result<Self, RegexError> {
        let flags = if caseless { format!("(?i){pattern}") } else { pattern.to_owned() };
        let program = fancy_regex::Regex::new(&flags).map_err(|error| {
            RegexError(format!("pcre2_compile() failed: {error} in \"{pattern}\""))
        })?;
        Ok(Self { text: pattern.to_owned(), program })
    }

    /// The groups with names.
    pub fn names(&self) -> Vec<(usize, String)> {
        let names = self.program.capture_names().enumerate();
        names.filter_map(|(group, name)| Some((group, name?.to_owned()))).collect()
    }

    /// The number of groups, the whole match included.
    pub fn groups(&self) -> usize {
        self.program.captures_len()
    }

    /// Whether it matches.
    pub fn is_match(&self, subject: &[u8]) -> Result<bool, TooManySteps> {
        self.program.is_match(subject).map_err(|_| TooManySteps)
    }

    /// Whether it matches, and where its groups lie.
    pub fn captures(&self, subject: &[u8], out: &mut Captures) -> Result<bool, TooManySteps> {
        let found = self.program.captures(subject).map_err(|_| TooManySteps)?;
        let Some(found) = found else { return Ok(false) };
        out.spans.clear();
        out.spans.extend(found.iter().map(|group| group.map(|m| (m.start(), m.end()))));
        Ok(true)
    }
}
