//! A translated expression as the library has it, and in which courses it is matched.

use std::sync::OnceLock;

use fancy_regex::{BytesMode, RegexBuilder};

use super::TooManySteps;
use super::effort::{Effort, Metered};
use super::translate::{Course, Fault, Subject, Translated, translate};

/// The bytes that one compiled expression may take.
const MAX_COMPILED: usize = 4 << 20;

/// How an expression that may go back is matched, and what that may cost each time, in the units of `Effort`:
/// at first fast, which is enough for most; then exactly counted; and then for as long as it may take at most,
/// where what the linear engine does in one go may be what would be too many steps.
const ATTEMPTS: [(Course, u64); 3] =
    [(Course::Parts, 200_000), (Course::Steps, 10_000_000), (Course::Parts, 20_000_000)];

/// How often an expression may go back at all. What it may do is counted otherwise, so that this is
/// never reached; it stands here for the library's own number of a million, which would be.
const MOST_STEPS: usize = 1 << 40;

/// A translated expression.
pub(super) struct Program {
    pub(super) regex: fancy_regex::Regex,
    /// Set where matching may go back and try another way.
    pub(super) winding: Option<Winding>,
}

/// An expression whose work has to be counted.
pub(super) struct Winding {
    /// What one look at the subject may cost, whose parts run in linear time each.
    look: Cost,
    /// The same expression in steps of a byte.
    text: String,
    /// It, compiled when it is first needed; `None` inside: it is too large.
    steps: OnceLock<Option<fancy_regex::Regex>>,
    step: Cost,
}

/// What the engine may do between two questions for the subject: some work, and some for each of its bytes.
#[derive(Clone, Copy)]
struct Cost {
    fixed: u64,
    /// In sixty-fourths.
    byte: u64,
}

impl Program {
    /// Translates and compiles; the outer fault is the pattern's, the inner one of what it became.
    pub(super) fn compile(
        pattern: &str,
        caseless: bool,
        subject: Subject,
    ) -> Result<Result<(Self, Translated), fancy_regex::Error>, Fault> {
        let pattern = pattern.as_bytes();
        let translated = translate(pattern, caseless, (subject, Course::Parts))?;
        let regex = match compile(&translated.text) {
            Ok(regex) => regex,
            Err(error) => return Ok(Err(error)),
        };
        let winding = if translated.may_go_back {
            let steps = translate(pattern, caseless, (subject, Course::Steps))?;
            Some(Winding::new(&translated, steps.text))
        } else {
            None
        };
        Ok(Ok((Self { regex, winding }, translated)))
    }
}

impl Winding {
    fn new(translated: &Translated, text: String) -> Self {
        let Translated { groups, refers, .. } = *translated;
        Self {
            // A part may read all of the subject, and much more slowly where it has groups.
            look: Cost { fixed: 16, byte: if groups > 0 { 1024 } else { 64 } },
            text,
            steps: OnceLock::new(),
            // A step reads a byte, or compares what a group has found.
            step: Cost { fixed: 16, byte: u64::from(refers) },
        }
    }

    /// Matches in one course after the other, until one comes to an end.
    pub(super) fn run<T>(
        &self,
        parts: &fancy_regex::Regex,
        subject: &[u8],
        effort: &mut Effort,
        mut ask: impl FnMut(&fancy_regex::Regex, &Metered<'_>) -> Result<T, fancy_regex::Error>,
    ) -> Result<T, TooManySteps> {
        for (course, most) in ATTEMPTS {
            let (regex, cost) = if course == Course::Steps {
                let steps = self.steps.get_or_init(|| compile(&self.text).ok());
                (steps.as_ref(), self.step)
            } else {
                (Some(parts), self.look)
            };
            let Some(regex) = regex else { continue };
            let bytes = (subject.len() as u64).saturating_mul(cost.byte) / 64;
            let metered = Metered::new(subject, cost.fixed + bytes);
            if let Some(found) = effort.spend(most, &metered, |subject| ask(regex, subject)) {
                return found.map_err(|_| TooManySteps);
            }
        }
        Err(TooManySteps)
    }
}

pub(super) fn compile(text: &str) -> Result<fancy_regex::Regex, fancy_regex::Error> {
    RegexBuilder::new(text)
        .bytes_mode(BytesMode::Ascii)
        .backtrack_limit(MOST_STEPS)
        .delegate_size_limit(MAX_COMPILED)
        .build()
}
