//! Quotes that were never closed, or closed where something follows: told, and passed over.

use nom::Offset;

use super::Reader;
use crate::diagnostic::Diagnostic;
use crate::syntax::layout;
use crate::syntax::token::too_long;

impl<'a> Reader<'a> {
    /// After a closing quote stands what may not stand there.
    pub(super) fn glued(&mut self, raw: &'a str, after: &'a str) -> &'a str {
        let at = self.text.offset(after);
        let c = after.chars().next().unwrap_or(' ');
        let fault = Diagnostic::emerg(format!("unexpected \"{c}\""));
        let fault = fault.at(self.span(at, at + c.len_utf8()));
        if !raw.contains('\n') {
            self.faults.push(fault.hint("after a closing quote, a blank or the `;` is missing"));
            self.word(raw);
            return after;
        }
        // The quotes are out of step from an earlier line on.
        let fault = too_long(raw, after).map_or(fault, |message| self.at_quote(message, raw));
        self.faults.push(fault.hint(self.quote_hint(raw)));
        self.skip_statement(raw)
    }

    pub(super) fn unclosed_quote(&mut self, raw: &'a str) -> &'a str {
        let hint = self.quote_hint(raw);
        match too_long(raw, "") {
            Some(message) => self.faults.push(self.at_quote(message, raw).hint(hint)),
            None => self.cut = Some(hint),
        }
        self.skip_statement(raw)
    }

    fn at_quote(&self, message: String, raw: &str) -> Diagnostic {
        let at = self.text.offset(raw);
        Diagnostic::emerg(message).at(self.span(at, at + 1))
    }

    fn quote_hint(&self, raw: &str) -> String {
        let quote = raw.get(..1).unwrap_or("\"");
        let line = layout::line(self.text, self.text.offset(raw) as u32);
        format!("the quote `{quote}` opened in line {line} was never closed there")
    }

    /// Goes on behind the line that a quote left open spoiled, or behind those that belong to it.
    fn skip_statement(&mut self, raw: &'a str) -> &'a str {
        let mut at = self.text.offset(raw);
        for line in raw.split_inclusive('\n') {
            let end = at + line.trim_end().len();
            at += line.len();
            let line = line.trim_end();
            if line.ends_with('{') {
                return self.open(end - 1, self.after(end));
            }
            if line.ends_with([';', '}']) {
                break;
            }
        }
        self.words.clear();
        self.after(at)
    }
}
