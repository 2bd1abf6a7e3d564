//! Words to statements and blocks, going on after a fault so that all of them are told.

mod quotes;

use nom::combinator::{map_opt, verify};
use nom::multi::many_till;
use nom::{IResult, Offset, Parser};

use super::layout::{self, Braces, Closing, Frame, Tally};
use super::token::{Token, meaning, token, too_long};
use super::{End, Statement, Word, lua, placeholder};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// How deeply blocks may be nested, so that nothing that walks them runs out of stack.
pub(super) const MAX_DEPTH: usize = 100;

/// After how many faults the rest of a file is left unread: it is no configuration.
const MOST_FAULTS: usize = 200;

/// What a file says, and what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) body: Vec<Statement>,
    pub(super) faults: Vec<Diagnostic>,
}

/// Reads the text of a file, which stands `depth` blocks deep.
pub(super) fn parse(text: &str, file: u32, depth: usize) -> Parsed {
    let run = |text, braces| Reader::run(text, file, depth, braces);
    let counted = run(text, Braces::Counted);
    let Some(span) = counted.placeholder else {
        return settle(counted, || run(text, Braces::Indented));
    };
    let masked = placeholder::mask(text);
    let mut parsed = settle(run(&masked, Braces::Counted), || run(&masked, Braces::Indented));
    parsed.body.clear();
    parsed.faults.insert(0, placeholder::fault(text, span));
    parsed
}

/// Tells of the end of the file and of braces that do not pair off.
fn settle<'a>(counted: Reader<'a>, indented: impl FnOnce() -> Reader<'a>) -> Parsed {
    let Reader { text, file, mut faults, mut body, braces, cut, .. } = counted;
    let mut hints: Vec<String> = cut.iter().cloned().collect();
    if !braces.is_balanced() {
        let indented = indented();
        let reason = indented.braces.explains(&braces).then_some(&indented.braces);
        hints.extend(braces.unclosed_hints(reason, text));
        faults.extend(braces.stray_fault(reason, text));
        if reason.is_some() {
            body = indented.body;
        }
    }
    if !hints.is_empty() {
        let expected = if cut.is_some() { "\";\" or \"}\"" } else { "\"}\"" };
        let message = format!("unexpected end of file, expecting {expected}");
        let end = Span { file, start: text.len() as u32, end: text.len() as u32 };
        faults.push(hints.into_iter().fold(Diagnostic::emerg(message).at(end), Diagnostic::hint));
    }
    faults.sort_by_key(|fault| fault.span.map_or(0, |span| span.start));
    Parsed { body, faults }
}

/// Words up to what ends them: the input of one step.
struct Head<'a> {
    words: Vec<&'a str>,
    stop: Token<'a>,
}

fn head(input: &str) -> IResult<&str, Head<'_>> {
    let word = map_opt(token, |token| match token {
        Token::Word(raw) => Some(raw),
        _ => None,
    });
    let stop = verify(token, |token| !matches!(token, Token::Word(_)));
    many_till(word, stop).map(|(words, stop)| Head { words, stop }).parse(input)
}

/// One pass over a file, front to back.
struct Reader<'a> {
    text: &'a str,
    file: u32,
    depth: usize,
    rule: Braces,
    /// The words of the statement that has not ended yet.
    words: Vec<Word>,
    frames: Vec<Frame<'a>>,
    body: Vec<Statement>,
    braces: Tally,
    faults: Vec<Diagnostic>,
    /// Why the file ends inside a statement, if it does.
    cut: Option<String>,
    /// The first brace that marks a template.
    placeholder: Option<Span>,
}

impl<'a> Reader<'a> {
    fn run(text: &'a str, file: u32, depth: usize, rule: Braces) -> Reader<'a> {
        let mut reader = Reader {
            text,
            file,
            depth,
            rule,
            words: Vec::new(),
            frames: Vec::new(),
            body: Vec::new(),
            braces: Tally::default(),
            faults: Vec::new(),
            cut: None,
            placeholder: None,
        };
        let mut rest = text;
        while let Ok((after, head)) = head(rest) {
            if reader.faults.len() > MOST_FAULTS {
                break;
            }
            let at = text.offset(after);
            for raw in head.words {
                reader.word(raw);
            }
            rest = match head.stop {
                Token::End => break,
                Token::Word(_) => after,
                Token::Semicolon => reader.semicolon(at - 1, after),
                Token::Open => reader.open(at - 1, after),
                Token::Close => reader.close(at - 1, after),
                Token::Glued(raw) => reader.glued(raw, after),
                Token::Unclosed(raw) => reader.unclosed_quote(raw),
                Token::Cut(raw) => {
                    reader.word(raw);
                    after
                }
            };
        }
        reader.finish();
        reader
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span { file: self.file, start: start as u32, end: end as u32 }
    }

    fn after(&self, at: usize) -> &'a str {
        self.text.get(at..).or(self.text.get(self.text.len()..)).unwrap_or(self.text)
    }

    fn word(&mut self, raw: &'a str) {
        let start = self.text.offset(raw);
        let span = self.span(start, start + raw.len());
        if self.words.is_empty() {
            self.begin(start);
        }
        let rest = self.text.get(start + raw.len()..).unwrap_or("");
        if let Some(message) = too_long(raw, rest) {
            self.faults.push(Diagnostic::emerg(message).at(span));
        }
        let quoted = raw.starts_with(['"', '\'']);
        self.words.push(Word { text: meaning(raw), span, quoted });
    }

    /// A statement begins: blocks that its indentation shows to be over are closed.
    fn begin(&mut self, at: usize) {
        let indent = layout::indent(self.text, at);
        if self.rule == Braces::Indented
            && let Some(indent) = indent
        {
            for _ in 0..layout::ended(&self.frames, indent) {
                self.abandon(at);
            }
        }
        if let Some(frame) = self.frames.last_mut()
            && frame.inner.is_none()
        {
            frame.inner = indent;
        }
    }

    fn semicolon(&mut self, at: usize, after: &'a str) -> &'a str {
        if self.words.is_empty() {
            let fault = Diagnostic::emerg("unexpected \";\"").at(self.span(at, at + 1));
            self.faults.push(fault);
        } else {
            let words = std::mem::take(&mut self.words);
            self.add(words, End::Semicolon, at + 1);
        }
        after
    }

    fn open(&mut self, at: usize, after: &'a str) -> &'a str {
        let open = self.span(at, at + 1);
        if self.depth + self.frames.len() >= MAX_DEPTH {
            self.faults.push(Diagnostic::emerg("too many nested blocks").at(open));
            self.words.clear();
            self.frames.clear();
            return self.after(self.text.len());
        }
        if self.words.is_empty() {
            if placeholder::is_placeholder(self.text, at) {
                self.placeholder.get_or_insert(open);
            }
            self.faults.push(Diagnostic::emerg("unexpected \"{\"").at(open));
        }
        let words = std::mem::take(&mut self.words);
        let begin = words.first().map_or(at, |word| word.span.start as usize);
        let indent = layout::indent(self.text, begin);
        let is_foreign = words.first().is_some_and(|word| word.text.ends_with("_by_lua_block"));
        self.frames.push(Frame { words, open, indent, inner: None, body: Vec::new() });
        if is_foreign { lua::closing_brace(after) } else { after }
    }

    fn close(&mut self, at: usize, after: &'a str) -> &'a str {
        let span = self.span(at, at + 1);
        if let Some(last) = self.words.last() {
            let line = layout::line(self.text, last.span.start);
            let hint = format!("a `;` is missing after `{}` in line {line}", last.text);
            self.faults.push(Diagnostic::emerg("unexpected \"}\"").at(span).hint(hint));
            let end = last.span.end as usize;
            let words = std::mem::take(&mut self.words);
            self.add(words, End::Semicolon, end);
        }
        let closing = match self.rule {
            Braces::Counted => Closing::Frames(1),
            Braces::Indented => layout::closing(&self.frames, layout::indent(self.text, at)),
        };
        match closing {
            Closing::Extra => self.braces.extra(span),
            Closing::Frames(_) if self.frames.is_empty() => self.braces.stray(span),
            Closing::Frames(count) => {
                for _ in 1..count {
                    self.abandon(at);
                }
                self.leave(at + 1);
            }
        }
        after
    }

    /// Ends a block at its brace.
    fn leave(&mut self, end: usize) {
        if let Some(frame) = self.frames.pop()
            && !frame.words.is_empty()
        {
            let block = End::Block { open: frame.open, body: frame.body };
            self.add(frame.words, block, end);
        }
    }

    /// Ends a block that has no brace.
    fn abandon(&mut self, end: usize) {
        if let Some(frame) = self.frames.last() {
            self.braces.unclosed(frame);
        }
        self.leave(end);
    }

    fn add(&mut self, words: Vec<Word>, end: End, at: usize) {
        let mut words = words.into_iter();
        if let Some(name) = words.next() {
            let span = Span { end: at as u32, ..name.span };
            let statement = Statement { name, args: words.collect(), end, span };
            self.frames.last_mut().map_or(&mut self.body, |frame| &mut frame.body).push(statement);
        }
    }

    fn finish(&mut self) {
        if let Some(name) = self.words.first() {
            let line = layout::line(self.text, name.span.start);
            let hint = format!("`{}`, begun in line {line}, has no end", name.text);
            self.cut.get_or_insert(hint);
        }
        for frame in &self.frames {
            self.braces.unclosed(frame);
        }
        while !self.frames.is_empty() {
            self.leave(self.text.len());
        }
    }
}
