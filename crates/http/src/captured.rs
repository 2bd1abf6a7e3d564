//! What the last regular expression has matched.

use bytes::Bytes;
use tidegate_config::value::regex::Captures;

/// The groups of a match (`$1` to `$9`).
#[derive(Clone, Debug, Default)]
pub struct Captured {
    /// What was matched against.
    pub subject: Bytes,
    /// Where the groups lie in it.
    pub groups: Captures,
}

impl Captured {
    /// A group's text.
    pub fn get(&self, group: usize) -> Option<Bytes> {
        let (start, end) = self.groups.get(group)?;
        (start <= end && end <= self.subject.len()).then(|| self.subject.slice(start..end))
    }
}
