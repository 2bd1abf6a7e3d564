//! The configuration files that were read, and places in them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A piece of a file of [`Sources`]: the bytes from `start` up to, not including, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// Which file, as [`Sources::push`] numbered it.
    pub file: u32,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset of the byte after the last.
    pub end: u32,
}

impl Span {
    /// A place in no file: for words that stand in none.
    pub const NONE: Self = Self { file: u32::MAX, start: 0, end: 0 };

    /// From the start of this span to the end of another one of the same file.
    #[must_use]
    pub fn to(self, end: Span) -> Span {
        Span { end: end.end.max(self.start), ..self }
    }
}

/// One file, as it was read.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it lies; for what came with `-g`, "command line".
    pub path: PathBuf,
    /// What it says. Bytes that are no UTF-8 stand as U+FFFD.
    pub text: String,
    /// Whether it is a file, which messages cite with a line and `-T` prints.
    pub is_file: bool,
}

/// All files of one configuration, in the order in which they were first read.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
    by_path: HashMap<PathBuf, u32>,
    /// Where the lines of each file begin, once somebody has asked.
    lines: Vec<OnceLock<Vec<u32>>>,
    /// How many characters stand before each step of `STEP` bytes of a file, once somebody has asked.
    counts: Vec<OnceLock<Vec<usize>>>,
}

/// After how many bytes of a file its characters are counted anew.
const STEP: usize = 1024;

impl Sources {
    /// Adds a file and returns its index. A file that is there already (it was included twice)
    /// keeps the index and the text it has.
    pub fn push(&mut self, path: impl Into<PathBuf>, text: impl Into<String>) -> u32 {
        let path = path.into();
        match self.find(&path) {
            Some(index) => index,
            None => self.add(Source { path, text: text.into(), is_file: true }),
        }
    }

    /// Adds text that stands in no file, such as the directives of `-g`; `name` takes the place
    /// of path and line in messages.
    pub fn push_text(&mut self, name: &str, text: impl Into<String>) -> u32 {
        self.add(Source { path: name.into(), text: text.into(), is_file: false })
    }

    fn add(&mut self, source: Source) -> u32 {
        let number = self.files.len() as u32;
        if source.is_file {
            self.by_path.insert(source.path.clone(), number);
        }
        self.files.push(source);
        self.lines.push(OnceLock::new());
        self.counts.push(OnceLock::new());
        number
    }

    /// Where the lines of a file begin.
    fn lines(&self, file: u32) -> &[u32] {
        let (Some(source), Some(lines)) = (self.get(file), self.lines.get(file as usize)) else {
            return &[];
        };
        lines.get_or_init(|| {
            let ends = source.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(ends.map(|(at, _)| at as u32 + 1)).collect()
        })
    }

    /// The file of an index.
    pub fn get(&self, file: u32) -> Option<&Source> {
        self.files.get(file as usize)
    }

    /// The index of a file by its path.
    pub fn find(&self, path: &Path) -> Option<u32> {
        self.by_path.get(path).copied()
    }

    /// All files, in the order in which they were first read.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.files.iter()
    }

    /// Where a span starts: path, line and column, both counted from 1, columns in characters.
    /// `None` if the span is none of these files.
    pub fn position(&self, span: Span) -> Option<(&Path, usize, usize)> {
        let source = self.get(span.file)?;
        let line = self.line(span)?;
        let begin = *self.lines(span.file).get(line.checked_sub(1)?)?;
        let column = self.characters(span.file, span.start) - self.characters(span.file, begin) + 1;
        Some((&source.path, line, column))
    }

    /// How many characters stand before a byte. What it costs does not grow with the file.
    fn characters(&self, file: u32, at: u32) -> usize {
        let starts = |bytes: &[u8]| bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        let (Some(source), Some(counts)) = (self.get(file), self.counts.get(file as usize)) else {
            return 0;
        };
        let counts = counts.get_or_init(|| {
            let steps = source.text.as_bytes().chunks(STEP).scan(0, |count, step| {
                let before = *count;
                *count += starts(step);
                Some(before)
            });
            steps.collect()
        });
        let step = at as usize / STEP;
        let rest = source.text.as_bytes().get(step * STEP..at as usize).unwrap_or_default();
        counts.get(step).copied().unwrap_or(0) + starts(rest)
    }

    /// The line on which a span starts, counted from 1. However long lines are, this costs the same.
    pub fn line(&self, span: Span) -> Option<usize> {
        self.get(span.file)?.text.get(..span.start as usize)?;
        Some(self.lines(span.file).partition_point(|begin| *begin <= span.start))
    }

    /// The line on which a span starts, without its line end: what stands before the span, and the rest.
    pub fn line_around(&self, span: Span) -> Option<(&str, &str)> {
        let (text, lines) = (&self.get(span.file)?.text, self.lines(span.file));
        let line = self.line(span)?;
        let begin = *lines.get(line.checked_sub(1)?)? as usize;
        let end = lines.get(line).map_or(text.len(), |next| *next as usize - 1);
        let rest = text.get(span.start as usize..end)?;
        let rest = rest.strip_suffix('\r').unwrap_or(rest);
        Some((text.get(begin..span.start as usize)?, rest))
    }

    /// The text that a span covers.
    pub fn text(&self, span: Span) -> &str {
        self.get(span.file)
            .and_then(|source| source.text.get(span.start as usize..span.end as usize))
            .unwrap_or("")
    }

    /// What `nginx -T` prints: each file once, under its name.
    pub fn dump(&self) -> String {
        let mut dump = String::new();
        for file in self.files.iter().filter(|file| file.is_file) {
            let header = format!("# configuration file {}:\n", file.path.display());
            dump.extend([header.as_str(), &file.text, "\n"]);
        }
        dump
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_counts_lines_from_1_and_columns_in_characters() {
        let mut sources = Sources::default();
        let file = sources.push("/x", "a\nåb c\n");
        let at = |start| sources.position(Span { file, start, end: start }).unwrap();
        assert_eq!(at(0), (Path::new("/x"), 1, 1));
        assert_eq!(at(2), (Path::new("/x"), 2, 1));
        assert_eq!(at(4), (Path::new("/x"), 2, 2));
        assert_eq!(at(8), (Path::new("/x"), 3, 1));
        let around = |start| sources.line_around(Span { file, start, end: start });
        assert_eq!((around(4), around(7)), (Some(("å", "b c")), Some(("åb c", ""))));
        assert_eq!((around(1), around(8), around(9)), (Some(("a", "")), Some(("", "")), None));
    }

    #[test]
    fn columns_of_a_line_that_is_long_are_those_of_a_short_one() {
        let text = format!("x;\n{}", "åbc ".repeat(STEP));
        let mut sources = Sources::default();
        let file = sources.push("/x", text.as_str());
        for (start, _) in text.char_indices().step_by(7).filter(|(start, _)| *start >= 3) {
            let span = Span { file, start: start as u32, end: start as u32 };
            let column = text[3..start].chars().count() + 1;
            assert_eq!(sources.position(span), Some((Path::new("/x"), 2, column)), "{start}");
        }
    }

    #[test]
    fn a_span_outside_its_file_has_no_position() {
        let mut sources = Sources::default();
        let file = sources.push("/x", "å");
        assert!(sources.position(Span { file, start: 1, end: 1 }).is_none());
        assert!(sources.position(Span { file, start: 9, end: 9 }).is_none());
        assert!(sources.position(Span { file: 7, start: 0, end: 0 }).is_none());
    }

    #[test]
    fn the_dump_prints_each_file_once() {
        let mut sources = Sources::default();
        sources.push("/b", "events {}\n");
        sources.push("/a", "x;");
        assert_eq!(sources.push("/b", "events {}\n"), 0);
        sources.push_text("command line", "daemon off;");
        assert_eq!(
            sources.dump(),
            "# configuration file /b:\nevents {}\n\n# configuration file /a:\nx;\n"
        );
    }
}
