//! What a parenthesis begins: groups, look-around, options, comments.

use super::escape::group_name;
use super::translate::{Course, Fault, Flags, Last, Open, Translator};

impl Translator<'_> {
    /// Reads what a `(` begins.
    pub(super) fn group(&mut self) -> Result<(), Fault> {
        let rest = self.pattern.get(self.at + 1..).unwrap_or_default();
        match rest {
            [b'*', b'A'..=b'Z' | b'a'..=b'z' | b':', ..] => {
                Err(Fault::new("(*VERB) is not supported", self.at))
            }
            [b'?', inner @ ..] => self.special_group(inner),
            _ if self.flags.no_auto_capture => {
                self.enter("(?:", 1, Last::Item);
                Ok(())
            }
            _ => {
                self.done.groups += 1;
                self.enter("(", 1, Last::Item);
                Ok(())
            }
        }
    }

    fn enter(&mut self, text: &str, length: usize, kind: Last) {
        let start = self.done.text.len();
        let looks_behind =
            text.starts_with("(?<") || self.open.last().is_some_and(|it| it.looks_behind);
        let number = (text == "(").then_some(self.done.groups);
        self.open.push(Open { kind, flags: self.flags, start, looks_behind, number });
        self.done.may_go_back |= kind == Last::LookAround || text == "(?>";
        let loosely = self.course == Course::Loosely;
        self.done.text.push_str(match kind {
            Last::LookAround if loosely => "(?:(?:",
            _ if loosely => "(?:",
            _ => text,
        });
        self.last = Last::Nothing;
        self.at += length;
    }

    /// A group that begins with `(?`, behind which stands `inner`.
    fn special_group(&mut self, inner: &[u8]) -> Result<(), Fault> {
        let inside = self.at + 2;
        match inner {
            [b':', ..] => self.enter("(?:", 3, Last::Item),
            [b'>', ..] => self.enter("(?>", 3, Last::Item),
            [b'=', ..] => self.enter("(?=", 3, Last::LookAround),
            [b'!', ..] => self.enter("(?!", 3, Last::LookAround),
            [b'<', b'=', ..] => self.enter("(?<=", 4, Last::LookAround),
            [b'<', b'!', ..] => self.enter("(?<!", 4, Last::LookAround),
            [b'<', ..] => self.named_group(inside + 1, b'>')?,
            [b'\'', ..] => self.named_group(inside + 1, b'\'')?,
            [b'P', b'<', ..] => self.named_group(inside + 2, b'>')?,
            [b'P', b'=', ..] => {
                let (name, next) = group_name(self.pattern, inside + 2, b')')?;
                self.named_reference(&name, inside + 2)?;
                self.at = next;
            }
            [b'P', b'>', ..] | [b'R' | b'&' | b'0'..=b'9' | b'+', ..] | [b'-', b'0'..=b'9', ..] => {
                return Err(Fault::new("a group called as a subroutine is not supported", inside));
            }
            [b'P', ..] => return Err(Fault::new("unrecognized character after (?P", inside + 1)),
            [b'|', ..] => return Err(Fault::new("(?| is not supported", inside)),
            [b'(', ..] => return Err(Fault::new("a conditional group is not supported", inside)),
            [b'C', ..] => return Err(Fault::new("a callout is not supported", inside)),
            [b'#', ..] => {
                let Some(length) = inner.iter().position(|&byte| byte == b')') else {
                    let message = "missing ) after (?# comment";
                    return Err(Fault::new(message, self.pattern.len()));
                };
                self.at = inside + length + 1;
            }
            _ => self.options(inside)?,
        }
        Ok(())
    }

    fn named_group(&mut self, at: usize, close: u8) -> Result<(), Fault> {
        let (name, next) = group_name(self.pattern, at, close)?;
        if self.done.names.iter().any(|(_, known)| *known == name) {
            let message = "two named subpatterns have the same name (PCRE2_DUPNAMES not set)";
            return Err(Fault::new(message, next));
        }
        self.done.groups += 1;
        self.done.names.push((self.done.groups, name));
        self.enter("(", next - self.at, Last::Item);
        Ok(())
    }

    /// `(?i-s)` for the rest of the group, `(?i-s:…)` for one of its own.
    fn options(&mut self, inside: usize) -> Result<(), Fault> {
        let before = self.flags;
        let mut on = true;
        let mut at = inside;
        while let Some(&byte) = self.pattern.get(at) {
            at += 1;
            let flags = &mut self.flags;
            match byte {
                b'^' if at == inside + 1 => *flags = Flags::default(),
                b'-' if on => on = false,
                b'i' => flags.caseless = on,
                b'm' => flags.multiline = on,
                b's' => flags.dot_all = on,
                b'n' => flags.no_auto_capture = on,
                b'U' => flags.ungreedy = on,
                b'x' => {
                    flags.extended_more = on && self.pattern.get(at) == Some(&b'x');
                    flags.extended = on;
                    at += usize::from(self.pattern.get(at) == Some(&b'x'));
                }
                b')' => {
                    self.last = Last::Nothing;
                    self.at = at;
                    return Ok(());
                }
                b':' => {
                    let flags = self.flags;
                    self.flags = before;
                    self.enter("(?:", at - self.at, Last::Item);
                    self.flags = flags;
                    return Ok(());
                }
                b'J' => return Err(Fault::new("(?J) is not supported", at - 1)),
                _ => {
                    let message = "unrecognized character after (? or (?-";
                    return Err(Fault::new(message, at - 1));
                }
            }
        }
        Err(Fault::new("missing closing parenthesis", self.pattern.len()))
    }
}
