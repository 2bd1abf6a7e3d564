//! A regular expression whose named groups are variables.

use std::collections::HashMap;

use crate::directive::{Cx, Fault};
use crate::names::Definition;
use crate::syntax::Word;
use crate::value::regex::{Regex, RegexError};
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
        let regex = cx.names.compiled.regex(text, caseless);
        let regex = regex.map_err(|error| Fault::sentence(error.to_string()).at(word.span))?;
        let mut names = Vec::new();
        for (group, name) in regex.names() {
            names.push((group, cx.names.define(word, &name, Definition::Captured)?));
        }
        Ok(Self { regex, names })
    }
}

/// The expressions so far. What is said in many servers, such as `\.php$`, is compiled once.
#[derive(Debug, Default)]
pub(crate) struct Compiled(HashMap<(String, bool), Regex>);

impl Compiled {
    /// The program of an expression.
    fn regex(&mut self, text: &str, caseless: bool) -> Result<Regex, RegexError> {
        if let Some(known) = self.0.get(&(text.to_owned(), caseless)) {
            return Ok(known.clone());
        }
        let regex = Regex::new(text, caseless)?;
        self.0.insert((text.to_owned(), caseless), regex.clone());
        Ok(regex)
    }
}
