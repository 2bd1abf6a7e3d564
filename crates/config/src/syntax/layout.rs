//! Which brace is missing or too many, told by the indentation where counting cannot tell.

use super::Word;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::Statement;

/// How braces are paired off.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Braces {
    /// As nginx does: a `}` closes the innermost block.
    Counted,
    /// A `}` closes the block whose first line is indented like itself, and so does a statement
    /// indented like a block whose content is indented further.
    Indented,
}

/// A block that is not closed yet.
pub(super) struct Frame<'a> {
    /// Name and parameters; none after a `{` that stands alone.
    pub(super) words: Vec<Word>,
    pub(super) open: Span,
    /// The white space before the block's name, if that is the first of its line.
    pub(super) indent: Option<&'a str>,
    /// The same of the first statement inside.
    pub(super) inner: Option<&'a str>,
    pub(super) body: Vec<Statement>,
}

impl Frame<'_> {
    fn title(&self) -> String {
        let words: Vec<&str> = self.words.iter().map(|word| word.text.as_str()).collect();
        let title = words.join(" ");
        if title.chars().count() <= 60 {
            return title;
        }
        title.chars().take(57).chain("...".chars()).collect()
    }

    /// Whether its content is indented further than itself.
    fn is_indented(&self) -> bool {
        match (self.indent, self.inner) {
            (Some(indent), Some(inner)) => inner.len() > indent.len() && inner.starts_with(indent),
            _ => false,
        }
    }
}

/// What to do at a `}`.
pub(super) enum Closing {
    /// Close so many blocks.
    Frames(usize),
    /// Pass over it.
    Extra,
}

/// How many open blocks the `}` behind `indent` closes; `None`: there is other text before it.
pub(super) fn closing(frames: &[Frame<'_>], indent: Option<&str>) -> Closing {
    let Some(indent) = indent else { return Closing::Frames(1) };
    if let Some(at) = frames.iter().rposition(|frame| frame.indent == Some(indent)) {
        return Closing::Frames(frames.len() - at);
    }
    match frames.last().and_then(|frame| frame.indent) {
        Some(outer) if indent.len() > outer.len() && indent.starts_with(outer) => Closing::Extra,
        _ => Closing::Frames(1),
    }
}

/// How many open blocks must have ended before a statement indented like this.
pub(super) fn ended(frames: &[Frame<'_>], indent: &str) -> usize {
    let ended = |frame: &Frame<'_>| frame.indent == Some(indent) && frame.is_indented();
    frames.iter().position(ended).map_or(0, |at| frames.len() - at)
}

/// The white space before a place, if nothing else stands before it on its line.
pub(super) fn indent(text: &str, at: usize) -> Option<&str> {
    let before = text.get(..at)?;
    // A line may be as long as the file: what stands before is not searched for its beginning.
    let line = before.trim_end_matches([' ', '\t']);
    if line.is_empty() || line.ends_with('\n') { before.get(line.len()..) } else { None }
}

/// The braces of a file that did not pair off.
#[derive(Default)]
pub(super) struct Tally {
    /// The first `}` that closed nothing.
    stray: Option<Span>,
    strays: usize,
    /// Blocks that nothing closed, and where they opened, outermost first.
    unclosed: Vec<(String, Span)>,
    /// Each `}` that was passed over.
    extra: Vec<Span>,
}

impl Tally {
    pub(super) fn stray(&mut self, span: Span) {
        self.stray.get_or_insert(span);
        self.strays += 1;
    }

    pub(super) fn unclosed(&mut self, frame: &Frame<'_>) {
        self.unclosed.push((frame.title(), frame.open));
    }

    pub(super) fn extra(&mut self, span: Span) {
        self.extra.push(span);
    }

    pub(super) fn is_balanced(&self) -> bool {
        self.strays == 0 && self.unclosed.is_empty()
    }

    /// Whether the indentation accounts for what counting found, and for no more.
    pub(super) fn explains(&self, counted: &Tally) -> bool {
        let found = self.unclosed.len() + self.extra.len();
        self.strays == 0 && found == counted.unclosed.len() + counted.strays
    }

    /// What nginx says of the first `}` too many, with the reason if there is one.
    pub(super) fn stray_fault(&self, reason: Option<&Tally>, text: &str) -> Option<Diagnostic> {
        let mut fault = Diagnostic::emerg("unexpected \"}\"").at(self.stray?);
        match reason.and_then(|reason| reason.extra.first()) {
            Some(extra) => {
                let line = line(text, extra.start);
                fault =
                    fault.hint(format!("by its indentation, the `}}` in line {line} is too many"));
            }
            None => fault = fault.hint("no block is open here: one `}` too many before or here"),
        }
        Some(fault)
    }

    /// Which blocks were never closed: as the indentation shows, else the innermost one.
    pub(super) fn unclosed_hints(&self, reason: Option<&Tally>, text: &str) -> Vec<String> {
        let hint = |(title, open): &(String, Span)| {
            let line = line(text, open.start);
            let of = if title.is_empty() { String::new() } else { format!(" of `{title}`") };
            format!("the `{{`{of} opened at line {line} was never closed")
        };
        match reason {
            Some(reason) => reason.unclosed.iter().take(3).map(hint).collect(),
            None => self.unclosed.last().map(hint).into_iter().collect(),
        }
    }
}

/// The line, counted from 1, in which a byte of a text stands.
pub(super) fn line(text: &str, at: u32) -> usize {
    text.bytes().take(at as usize).filter(|&byte| byte == b'\n').count() + 1
}
