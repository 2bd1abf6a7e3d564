//! `*`, `+`, `?` and `{2,3}`: how often what stands before them is repeated.

use super::translate::{Course, Fault, Last, Translator};

impl Translator<'_> {
    /// `{`: a quantifier if it looks like one, else itself.
    pub(super) fn brace(&mut self) -> Result<(), Fault> {
        let rest = self.pattern.get(self.at + 1..).unwrap_or_default();
        let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let least = digits(rest);
        let comma = rest.get(least) == Some(&b',');
        let most = if comma { digits(rest.get(least + 1..).unwrap_or_default()) } else { 0 };
        let length = least + usize::from(comma) + most;
        if least == 0 || rest.get(length) != Some(&b'}') {
            self.byte(b'{');
            self.at += 1;
            return Ok(());
        }
        let end = self.at + 1 + length;
        let number = |bytes: Option<&[u8]>| -> Result<u32, Fault> {
            let text = String::from_utf8_lossy(bytes.unwrap_or_default());
            match text.parse::<u32>() {
                Ok(number) if number <= 65535 => Ok(number),
                _ => Err(Fault::new("number too big in {} quantifier", end)),
            }
        };
        let first = number(rest.get(..least))?;
        if most > 0 && number(rest.get(least + 1..length))? < first {
            return Err(Fault::new("numbers out of order in {} quantifier", end));
        }
        let written = self.pattern.get(self.at..=end).unwrap_or_default();
        self.quantifier(end, written)
    }

    /// Appends a quantifier that ends at a byte, with the `?` or `+` behind it.
    pub(super) fn quantifier(&mut self, end: usize, written: &[u8]) -> Result<(), Fault> {
        match self.last {
            Last::Nothing => {
                return Err(Fault::new("quantifier does not follow a repeatable item", end));
            }
            Last::LookAround => {
                return Err(Fault::new("a repeated look-around is not supported", end));
            }
            Last::Item => {}
        }
        self.at = end + 1;
        let looks_behind = self.open.last().is_some_and(|open| open.looks_behind);
        if self.course == Course::Steps && written != b"?" && !looks_behind {
            // What ends with a group that gives nothing back is not the linear engine's to repeat.
            self.done.text.insert_str(self.last_start, "(?:");
            self.done.text.push_str("(?>))");
        }
        self.done.text.push_str(&String::from_utf8_lossy(written));
        match self.pattern.get(self.at) {
            Some(b'+') => {
                self.done.may_go_back = true;
                self.done.text.push_str(if self.course == Course::Loosely { "" } else { "+" });
                self.at += 1;
            }
            Some(b'?') => {
                self.done.text.push_str(if self.flags.ungreedy { "" } else { "?" });
                self.at += 1;
            }
            _ => self.done.text.push_str(if self.flags.ungreedy { "?" } else { "" }),
        }
        self.last = Last::Nothing;
        Ok(())
    }
}
