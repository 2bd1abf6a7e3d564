//! The condition of `if` and `elif` (nginx: `ngx_http_ssi_if`).

use tidegate_config::value::regex::{Captures, Effort, Regex};

use super::evaluate::Evaluator;
use crate::exchange::Captured;

impl Evaluator<'_> {
    /// Whether a condition holds: a text that is not empty, or two texts that are equal, or a text
    /// that matches an expression. An error says what is wrong with it.
    pub(super) fn holds(&mut self, condition: &[u8]) -> Result<bool, String> {
        let invalid = || {
            let condition = String::from_utf8_lossy(condition);
            format!("invalid expression in \"{condition}\"")
        };
        let is_left = |byte: &u8| byte.is_ascii_alphanumeric() || b"_${}\"'".contains(byte);
        let end = condition.iter().position(|byte| !is_left(byte)).unwrap_or(condition.len());
        let (left, rest) = condition.split_at_checked(end).unwrap_or_default();
        let rest = rest.trim_ascii_start();
        let left = self.text(left)?;
        if rest.is_empty() {
            return Ok(!left.is_empty());
        }
        let (negative, right) = match rest {
            [b'=', right @ ..] => (false, right),
            [b'!', b'=', right @ ..] => (true, right),
            _ => return Err(invalid()),
        };
        let right = right.trim_ascii_start();
        let same = match right {
            [b'/', pattern @ .., b'/'] => self.matches(&left, pattern)?,
            [b'/', _, ..] => return Err(invalid()),
            [b'\\', right @ ..] if right.starts_with(b"/") => self.text(right)? == left,
            right => self.text(right)? == left,
        };
        Ok(same != negative)
    }

    /// Whether a text matches; its groups are variables from then on.
    fn matches(&mut self, text: &bytes::Bytes, pattern: &[u8]) -> Result<bool, String> {
        let pattern = self.text(pattern)?;
        let pattern = String::from_utf8_lossy(&pattern);
        let regex = Regex::new(&pattern, false).map_err(|error| error.to_string())?;
        let mut groups = Captures::default();
        let matches = regex.captures(text, &mut groups, &mut Effort::default());
        if !matches.map_err(|error| format!("{error} while matching \"{pattern}\""))? {
            return Ok(false);
        }
        self.captured = Captured { subject: text.clone(), groups };
        for (group, name) in regex.names() {
            let value = self.captured.get(group).unwrap_or_default();
            self.named.retain(|(known, _)| *known != name);
            self.named.push((name.to_ascii_lowercase(), value));
        }
        Ok(true)
    }
}
