//! What is wrong with a configuration: nginx's words first, then the excerpt and the mend.

mod excerpt;
mod suggest;

pub use suggest::suggest;

use std::collections::HashSet;
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::source::{Sources, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The configuration cannot be used.
    Emerg,
    /// It can, but does hardly what was meant.
    Warn,
    /// Something worth knowing.
    Notice,
}

impl Severity {
    /// nginx's word for it, as in `[emerg]`.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Emerg => "emerg",
            Severity::Warn => "warn",
            Severity::Notice => "notice",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// nginx's words, without file and line.
    pub message: String,
    /// The words at fault; the line of its start is cited.
    pub span: Option<Span>,
    /// What to do about it, one sentence each.
    pub hints: Vec<String>,
    /// The rule of [`lint`](crate::lint) that found it.
    pub rule: Option<&'static str>,
    /// Whether it is about a file that is not there, which another machine may have.
    pub absent: bool,
}

impl Diagnostic {
    /// A finding without a place.
    pub fn new(severity: Severity, message: impl Into<String>) -> Diagnostic {
        let (message, hints) = (message.into(), Vec::new());
        Diagnostic { severity, message, span: None, hints, rule: None, absent: false }
    }

    /// A fault with which nothing starts.
    pub fn emerg(message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Emerg, message)
    }

    /// Something that works and is hardly meant.
    pub fn warn(message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Warn, message)
    }

    /// Something worth knowing.
    pub fn notice(message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Notice, message)
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, span: Span) -> Diagnostic {
        self.span = Some(span);
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Diagnostic {
        self.hints.push(text.into());
        self
    }

    /// Names the rule that found it.
    #[must_use]
    pub fn of(mut self, rule: &'static str) -> Diagnostic {
        self.rule = Some(rule);
        self
    }

    /// Says whether it is about a file that is not there.
    #[must_use]
    pub fn absent(mut self, absent: bool) -> Diagnostic {
        self.absent = absent;
        self
    }

    /// Writes it: nginx's line, the excerpt, the hints.
    pub fn render(&self, sources: &Sources) -> String {
        let mut text = format!("nginx: [{}] {}", self.severity.word(), self.message);
        let place = self.span.and_then(|span| Some((span, sources.position(span)?)));
        let Some((span, (path, line, _))) = place else {
            text.push('\n');
            self.push_notes(&mut text, 3);
            return text;
        };
        let is_file = sources.get(span.file).is_some_and(|source| source.is_file);
        _ = if is_file {
            writeln!(text, " in {}:{line}", path.display())
        } else {
            writeln!(text, " in {}", path.display())
        };
        let margin = excerpt::push(&mut text, sources, span);
        self.push_notes(&mut text, margin);
        text
    }

    fn push_notes(&self, text: &mut String, margin: usize) {
        for hint in &self.hints {
            _ = writeln!(text, "{:margin$} = hint: {hint}", "");
        }
        if let Some(rule) = self.rule {
            _ = writeln!(text, "{:margin$} = lint: {rule}", "");
        }
    }
}

/// Findings, in the order in which they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    findings: Vec<Diagnostic>,
    /// The places of those that have one, with a hash of how bad they are and of their words.
    seen: HashSet<(Span, u64)>,
    faults: usize,
}

/// After how many faults no more mends are looked for, which takes longer than all the rest.
const MANY: usize = 100;

impl Diagnostics {
    /// Adds a finding. One that is there already is not said again: it stands in a file that is
    /// included twice.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if let Some(span) = diagnostic.span {
            let mut hasher = DefaultHasher::new();
            (diagnostic.severity.word(), &diagnostic.message).hash(&mut hasher);
            if !self.seen.insert((span, hasher.finish())) {
                return;
            }
        }
        self.faults += usize::from(diagnostic.severity == Severity::Emerg);
        self.findings.push(diagnostic);
    }

    /// Whether there are so many faults that no more mends are looked for.
    pub(crate) fn are_many(&self) -> bool {
        self.faults > MANY
    }

    /// Adds findings.
    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        diagnostics.into_iter().for_each(|diagnostic| self.push(diagnostic));
    }

    /// Makes notices of what is about files that are not there.
    pub fn excuse_absent(&mut self) {
        for finding in self.findings.iter_mut().filter(|finding| finding.absent) {
            self.faults -= usize::from(finding.severity == Severity::Emerg);
            finding.severity = Severity::Notice;
            finding.hints = vec!["it is not looked at, since files may be elsewhere".to_owned()];
        }
    }

    /// Whether nothing can start with this configuration.
    pub fn has_errors(&self) -> bool {
        self.faults > 0
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.findings.len()
    }

    /// Names the rule that made those from this place on.
    pub(crate) fn name_from(&mut self, first: usize, rule: &'static str) {
        self.findings.iter_mut().skip(first).for_each(|finding| finding.rule = Some(rule));
    }

    /// Keeps those for which this holds.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&Diagnostic) -> bool) {
        self.findings.retain(keep);
        let fault = |finding: &&Diagnostic| finding.severity == Severity::Emerg;
        self.faults = self.findings.iter().filter(fault).count();
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// All findings.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.findings.iter()
    }

    /// Writes them all, one after the other.
    pub fn render(&self, sources: &Sources) -> String {
        self.findings.iter().map(|finding| finding.render(sources)).collect()
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.findings.into_iter()
    }
}
