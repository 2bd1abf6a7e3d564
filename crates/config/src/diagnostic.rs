//! What is wrong with a configuration: nginx's words first, then the excerpt and the mend.

mod excerpt;
mod suggest;

pub use suggest::suggest;

use std::fmt::Write;

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
}

impl Diagnostic {
    /// A finding without a place.
    pub fn new(severity: Severity, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity, message: message.into(), span: None, hints: Vec::new(), rule: None }
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
}

impl Diagnostics {
    /// Adds a finding. One that is there already is not said again: it stands in a file that is
    /// included twice.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let same = |other: &Diagnostic| {
            other.span == diagnostic.span
                && other.message == diagnostic.message
                && other.severity == diagnostic.severity
        };
        if diagnostic.span.is_none() || !self.findings.iter().any(same) {
            self.findings.push(diagnostic);
        }
    }

    /// Adds findings.
    pub fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        diagnostics.into_iter().for_each(|diagnostic| self.push(diagnostic));
    }

    /// Whether nothing can start with this configuration.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Emerg)
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
