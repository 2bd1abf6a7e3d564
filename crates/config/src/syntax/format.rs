//! One canonical form of a configuration: comments kept, meaning unchanged.

use nom::Offset;

use super::lua::closing_brace;
use super::token::{Token, token};

/// What a level is indented by.
const INDENT: &str = "    ";

/// Writes a text without faults in its canonical form: a statement a line, four blanks a level, at
/// most one empty line between two statements. Words stay as they are written, quotes and escapes
/// included, and on the lines they were broken into.
pub fn format(text: &str) -> String {
    let mut printer = Printer::default();
    let mut rest = text;
    loop {
        let after = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let blank = rest.get(..rest.offset(after)).unwrap_or_default();
        let gap = Gap { lines: blank.matches('\n').count(), any: !blank.is_empty() };
        if let Some(comment) = after.starts_with('#').then(|| after.lines().next()).flatten() {
            printer.comment(comment.trim_end(), gap);
            rest = after.get(comment.len()..).unwrap_or_default();
            continue;
        }
        let Ok((behind, token)) = token(after) else { break };
        rest = behind;
        match token {
            Token::Word(raw) | Token::Glued(raw) | Token::Unclosed(raw) | Token::Cut(raw) => {
                printer.word(raw, gap);
            }
            Token::Semicolon => printer.semicolon(),
            Token::Open => rest = printer.open(rest),
            Token::Close => printer.close(),
            Token::End => break,
        }
    }
    printer.out.push('\n');
    if printer.out.trim().is_empty() { String::new() } else { printer.out }
}

/// What stands between two tokens.
#[derive(Clone, Copy)]
struct Gap {
    /// Line ends.
    lines: usize,
    /// Anything at all.
    any: bool,
}

/// What was printed last.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Last {
    #[default]
    Nothing,
    /// A word of a statement.
    Word,
    /// A comment within a statement, after which a line has to begin.
    CommentWithin,
    /// A `{`.
    Open,
    /// The end of a statement or a block.
    End,
    /// A comment on a line of its own, or behind an end.
    Comment,
}

#[derive(Default)]
struct Printer {
    out: String,
    level: usize,
    last: Last,
    /// Whether the statement's text is another language's.
    foreign: bool,
}

impl Printer {
    /// Begins a line; one that stood apart from what was before it still does.
    fn line(&mut self, gap: Gap) {
        if self.last != Last::Nothing {
            self.out.push('\n');
            if gap.lines > 1 && self.last != Last::Open {
                self.out.push('\n');
            }
        }
        self.indent(self.level);
    }

    fn indent(&mut self, level: usize) {
        (0..level).for_each(|_| self.out.push_str(INDENT));
    }

    fn within(&self) -> bool {
        matches!(self.last, Last::Word | Last::CommentWithin)
    }

    /// Goes on in the next line of a statement.
    fn continue_line(&mut self) {
        self.out.push('\n');
        self.indent(self.level + 1);
    }

    fn word(&mut self, raw: &str, gap: Gap) {
        if !self.within() {
            self.line(gap);
            self.foreign = raw.ends_with("_by_lua_block");
        } else if gap.lines > 0 || self.last == Last::CommentWithin {
            self.continue_line();
        } else if gap.any {
            self.out.push(' ');
        }
        self.out.push_str(raw);
        self.last = Last::Word;
    }

    fn comment(&mut self, comment: &str, gap: Gap) {
        let first = self.last == Last::Nothing;
        if self.within() {
            if gap.lines > 0 || self.last == Last::CommentWithin {
                self.continue_line();
            } else {
                self.out.push_str("  ");
            }
            self.out.push_str(comment);
            self.last = Last::CommentWithin;
            return;
        }
        if gap.lines == 0 && !first && self.last != Last::Comment {
            self.out.push_str("  ");
        } else {
            self.line(gap);
        }
        self.out.push_str(comment);
        self.last = Last::Comment;
    }

    fn semicolon(&mut self) {
        if self.last == Last::CommentWithin {
            self.continue_line();
        }
        self.out.push(';');
        self.last = Last::End;
    }

    /// Opens a block; a foreign one is copied as it is. What is left of the text comes back.
    fn open<'a>(&mut self, rest: &'a str) -> &'a str {
        if self.last == Last::CommentWithin {
            self.continue_line();
        } else {
            self.out.push(' ');
        }
        self.out.push('{');
        if std::mem::take(&mut self.foreign) {
            let behind = closing_brace(rest);
            self.out.push_str(rest.get(..rest.offset(behind)).unwrap_or_default());
            self.out.push('}');
            self.last = Last::End;
            return behind.strip_prefix('}').unwrap_or_default();
        }
        self.level += 1;
        self.last = Last::Open;
        rest
    }

    fn close(&mut self) {
        self.level = self.level.saturating_sub(1);
        if self.last != Last::Open {
            self.line(Gap { lines: 0, any: false });
        }
        self.out.push('}');
        self.last = Last::End;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diagnostic::Diagnostics;
    use crate::source::Sources;
    use crate::syntax::{End, Statement, parse};

    /// What a text means: the words of its statements, and where blocks begin and end.
    fn meaning(text: &str) -> Option<String> {
        let (mut sources, mut faults) = (Sources::default(), Diagnostics::default());
        let body = parse("x", text, &mut sources, &mut faults);
        (!faults.has_errors()).then(|| shown(&body))
    }

    fn shown(body: &[Statement]) -> String {
        let words = |s: &Statement| {
            let all = std::iter::once(&s.name).chain(&s.args);
            all.map(|word| format!("{:?}{}", word.text, word.quoted)).collect::<Vec<_>>().join(" ")
        };
        let one = |s: &Statement| match &s.end {
            End::Semicolon => format!("{};", words(s)),
            End::Block { body, .. } => format!("{} {{{}}}", words(s), shown(body)),
        };
        body.iter().map(one).collect()
    }

    #[test]
    fn a_statement_has_a_line_and_a_level_four_blanks() {
        let text = "events{}\n\n\n\nhttp {  # all\n\n  server{listen 80;# here\n\n# alone\n\
            log_format a 'b'\n 'c'; if ($a = \"b\") { return 403; } } }";
        let expected = "events {}\n\nhttp {  # all\n\n    server {\n        listen 80;  # here\n\n\
            \x20       # alone\n        log_format a 'b'\n            'c';\n\
            \x20       if ($a = \"b\") {\n            return 403;\n        }\n    }\n}\n";
        assert_eq!(format(text), expected);
        assert_eq!(format(expected), expected);
    }

    #[test]
    fn a_comment_within_a_statement_stays_there() {
        let text = "index a # first\n  b # second\n ;\n";
        assert_eq!(format(text), "index a  # first\n    b  # second\n    ;\n");
        assert_eq!(meaning(text), meaning(&format(text)));
        assert_eq!(format(""), "");
    }

    #[test]
    fn another_language_is_left_alone() {
        let text = "x_by_lua_block   { if a then { b = 1 }   end }\ny;";
        assert_eq!(format(text), "x_by_lua_block { if a then { b = 1 }   end }\ny;\n");
    }

    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            Just(";".to_owned()),
            Just(" {".to_owned()),
            Just("}".to_owned()),
            Just("\n".to_owned()),
            Just("\n\n\n".to_owned()),
            Just(" ".to_owned()),
            Just("# a comment; {\n".to_owned()),
            Just("${a}b".to_owned()),
            "[a-z$~^*\\\\/]{1,6} ".prop_map(|word| word),
            "\"[a-z ;{}#\n']{0,6}\" ".prop_map(|word| word),
            "'[a-z ;{}#\n\"]{0,6}' ".prop_map(|word| word),
            Just("a b;\n".to_owned()),
            Just("a {\nb c;\n}\n".to_owned()),
        ]
    }

    fn comments(text: &str) -> usize {
        text.matches("# a comment; {").count()
    }

    proptest! {
        #[test]
        fn meaning_and_comments_stay(pieces in prop::collection::vec(piece(), 0..30)) {
            let text = pieces.concat();
            let Some(meant) = meaning(&text) else { return Ok(()) };
            let formatted = format(&text);
            prop_assert_eq!(meaning(&formatted), Some(meant));
            prop_assert_eq!(comments(&formatted), comments(&text));
            prop_assert_eq!(format(&formatted), formatted);
        }
    }
}
