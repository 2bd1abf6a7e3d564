//! PCRE's syntax in that of `fancy-regex`, with all options spelled out.

use std::fmt::Write;

use super::class::{ByteSet, class};
use super::escape::{Escape, Special, escape};
pub(super) use super::wanted::{Course, Fault, Subject};

/// The options in force: `(?imsxnU)`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    pub(super) caseless: bool,
    pub(super) multiline: bool,
    pub(super) dot_all: bool,
    pub(super) extended: bool,
    pub(super) extended_more: bool,
    pub(super) no_auto_capture: bool,
    pub(super) ungreedy: bool,
}

/// A translated expression.
#[derive(Debug)]
pub(super) struct Translated {
    pub(super) text: String,
    pub(super) groups: usize,
    pub(super) names: Vec<(usize, String)>,
    /// Whether it means something else for subjects that end with a newline.
    pub(super) minds_newline: bool,
    /// Whether it holds what the linear engine cannot do, so that matching may go back.
    pub(super) may_go_back: bool,
    /// Whether it refers to what a group has matched.
    pub(super) refers: bool,
}

/// Translates a pattern for one sort of subjects.
pub(super) fn translate(
    pattern: &[u8],
    caseless: bool,
    (subject, course): (Subject, Course),
) -> Result<Translated, Fault> {
    let mut translator = Translator {
        pattern,
        at: 0,
        subject,
        course,
        flags: Flags { caseless, ..Flags::default() },
        open: Vec::new(),
        last: Last::Nothing,
        last_start: 0,
        references: Vec::new(),
        done: Translated {
            text: String::with_capacity(pattern.len() * 2),
            groups: 0,
            names: Vec::new(),
            minds_newline: false,
            may_go_back: false,
            refers: false,
        },
    };
    translator.run()?;
    Ok(translator.done)
}

/// What a quantifier would repeat.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    Nothing,
    Item,
    LookAround,
}

/// A group that is open.
pub(super) struct Open {
    pub(super) kind: Last,
    /// The options to return to behind it.
    pub(super) flags: Flags,
    /// Where it begins in the text that is made.
    pub(super) start: usize,
    /// Whether it looks behind, where no length may change.
    pub(super) looks_behind: bool,
    /// Its number, if what it matches is kept.
    pub(super) number: Option<usize>,
}

pub(super) struct Translator<'a> {
    pub(super) pattern: &'a [u8],
    pub(super) at: usize,
    subject: Subject,
    pub(super) course: Course,
    pub(super) flags: Flags,
    /// The groups that are open.
    pub(super) open: Vec<Open>,
    pub(super) last: Last,
    /// Where it begins in the text that is made.
    pub(super) last_start: usize,
    /// Groups referred to by number, and where.
    references: Vec<(usize, usize)>,
    pub(super) done: Translated,
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), Fault> {
        while let Some(&byte) = self.pattern.get(self.at) {
            match byte {
                b'\\' => self.escape()?,
                b'[' => self.class()?,
                b'(' => self.group()?,
                b')' => self.close()?,
                b'|' => {
                    self.done.text.push('|');
                    self.last = Last::Nothing;
                    self.at += 1;
                }
                b'*' | b'+' | b'?' => self.quantifier(self.at, &[byte])?,
                b'{' => self.brace()?,
                b'^' => self
                    .place(if self.flags.multiline { Place::LineStart } else { Place::Start }, 1),
                b'$' => self.place(
                    if self.flags.multiline { Place::LineEnd } else { Place::EndOrNewline },
                    1,
                ),
                b'.' => {
                    let all = self.flags.dot_all;
                    self.set(ByteSet::matching(|byte| all || byte != b'\n'));
                    self.at += 1;
                }
                b'#' if self.flags.extended => {
                    let rest = self.pattern.get(self.at..).unwrap_or_default();
                    self.at += rest.iter().take_while(|&&byte| byte != b'\n').count();
                }
                b' ' | b'\t'..=b'\r' if self.flags.extended => self.at += 1,
                byte => {
                    self.byte(byte);
                    self.at += 1;
                }
            }
        }
        if !self.open.is_empty() {
            return Err(Fault::new("missing closing parenthesis", self.pattern.len()));
        }
        match self.references.iter().find(|(group, _)| *group > self.done.groups || *group == 0) {
            Some((_, at)) => Err(Fault::new("reference to non-existent subpattern", *at)),
            None => Ok(()),
        }
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.set(ByteSet::of(&[byte]));
    }

    fn set(&mut self, set: ByteSet) {
        let set = if self.flags.caseless { set.folded() } else { set };
        self.item(|text| set.push(text));
    }

    /// Appends what can be repeated.
    fn item(&mut self, push: impl FnOnce(&mut String)) {
        self.last_start = self.done.text.len();
        push(&mut self.done.text);
        self.last = Last::Item;
    }

    fn class(&mut self) -> Result<(), Fault> {
        let (set, next) = class(self.pattern, self.at, self.flags)?;
        self.item(|text| set.push(text));
        self.at = next;
        Ok(())
    }

    fn escape(&mut self) -> Result<(), Fault> {
        match self.pattern.get(self.at + 1) {
            Some(b'Q') => {
                self.at += 2;
                let rest = self.pattern.get(self.at..).unwrap_or_default();
                let end = rest.windows(2).position(|pair| pair == b"\\E").unwrap_or(rest.len());
                rest.iter().take(end).for_each(|&byte| self.byte(byte));
                self.at += end;
                return Ok(());
            }
            Some(b'E') => {
                self.at += 2;
                return Ok(());
            }
            _ => {}
        }
        let start = self.at;
        let (meaning, next) = escape(self.pattern, start, Some(self.done.groups))?;
        self.at = next;
        match meaning {
            Escape::Byte(byte) => self.byte(byte),
            // `\W` and its like hold no letter without its other case, save `\x` and sets of them.
            Escape::Set(set) => self.set(set),
            Escape::Reference(group) => self.reference(group, next - 1)?,
            Escape::Back(back) => match (self.done.groups + 1).checked_sub(back) {
                Some(group) if back > 0 => self.reference(group, next - 1)?,
                _ => return Err(Fault::new("reference to non-existent subpattern", next - 1)),
            },
            Escape::Named(name) => self.named_reference(&name, start + 3)?,
            Escape::Special(special) => self.special(special),
        }
        Ok(())
    }

    pub(super) fn named_reference(&mut self, name: &str, at: usize) -> Result<(), Fault> {
        match self.done.names.iter().find(|(_, known)| known == name) {
            Some(&(group, _)) => self.reference(group, at),
            None => Err(Fault::new("reference to non-existent subpattern", at)),
        }
    }

    fn reference(&mut self, group: usize, at: usize) -> Result<(), Fault> {
        if self.open.iter().any(|open| open.number == Some(group)) {
            return Err(Fault::new("a reference within its own group is not supported", at));
        }
        self.references.push((group, at));
        let flag = if self.flags.caseless { "i" } else { "" };
        self.done.refers = true;
        self.done.may_go_back = true;
        let loosely = self.course == Course::Loosely;
        self.item(|text| {
            if loosely {
                text.push_str("(?s:.*)");
            } else {
                _ = write!(text, "(?{flag}:\\{group})");
            }
        });
        Ok(())
    }

    fn special(&mut self, special: Special) {
        match special {
            Special::Start => self.place(Place::Start, 0),
            Special::EndOrNewline => self.place(Place::EndOrNewline, 0),
            Special::End => self.place(Place::End, 0),
            Special::Boundary => self.place(Place::Boundary, 0),
            Special::NoBoundary => self.place(Place::NoBoundary, 0),
            Special::Keep => self.place(Place::Keep, 0),
            Special::LineBreak => {
                self.done.may_go_back = true;
                let open = if self.course == Course::Loosely { "(?:" } else { "(?>" };
                self.item(|text| _ = write!(text, "{open}\\r\\n|[\\n\\x0B\\f\\r\\x85])"));
            }
        }
    }

    /// What matches a place, not a byte.
    fn place(&mut self, place: Place, length: usize) {
        let minds_newline =
            matches!(place, Place::EndOrNewline | Place::LineStart | Place::LineEnd);
        self.done.minds_newline |= minds_newline;
        let ends_with_newline = self.subject == Subject::EndsWithNewline;
        self.done.may_go_back |= place == Place::Keep
            || ends_with_newline && matches!(place, Place::EndOrNewline | Place::LineStart);
        self.done.text.push_str(match place {
            Place::Start => "^",
            Place::EndOrNewline if ends_with_newline => "(?:$|(?=\\n$))",
            Place::End | Place::EndOrNewline => "$",
            // PCRE knows no line behind the last newline.
            Place::LineStart if ends_with_newline => "(?:^|(?m:^)(?!$))",
            Place::LineStart => "(?m:^)",
            Place::LineEnd => "(?m:$)",
            Place::Boundary => "(?:\\b)",
            Place::NoBoundary => "(?:\\B)",
            Place::Keep if self.course == Course::Loosely => "",
            Place::Keep => "\\K",
        });
        self.last = Last::Nothing;
        self.at += length;
    }

    fn close(&mut self) -> Result<(), Fault> {
        let Some(Open { kind, flags, start, .. }) = self.open.pop() else {
            return Err(Fault::new("unmatched closing parenthesis", self.at));
        };
        let looks = self.course == Course::Loosely && kind == Last::LookAround;
        self.done.text.push_str(if looks { "){0})" } else { ")" });
        self.flags = flags;
        self.last = kind;
        self.last_start = start;
        self.at += 1;
        Ok(())
    }
}

/// Where in the subject.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    End,
    EndOrNewline,
    LineStart,
    LineEnd,
    Boundary,
    NoBoundary,
    /// `\K`: where the match is said to begin.
    Keep,
}
