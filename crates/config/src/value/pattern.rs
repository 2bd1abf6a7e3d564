//! A regular expression whose named groups are variables.

use crate::directive::{Cx, Fault};
use crate::names::Definition;
use crate::syntax::Word;
use crate::value::regex::Regex;
use crate::variable::Slot;

/// A regular expression whose named groups are variables.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The expression.
    pub regex: Regex,
    /// The number of a group, and the variable it is.
    pub names: Vec<(usize, Slot)>,
}

impl Pattern {
    /// Compiles an expression and defines the variables that its groups name.
    pub fn compile(
        text: &str,
        caseless: bool,
        word: &Word,
        cx: &mut Cx<'_>,
    ) -> Result<Self, Fault> {
        let regex = Regex::new(text, caseless)
            .map_err(|error| Fault::sentence(error.to_string()).at(word.span))?;
        let mut names = Vec::new();
        for (group, name) in regex.names() {
            names.push((group, cx.names.define(word, &name, Definition::Captured)?));
        }
        Ok(Self { regex, names })
    }
}
