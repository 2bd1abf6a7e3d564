//! A regular expression whose named groups are variables.

use std::collections::HashMap;

use crate::directive::{Cx, Fault};
use crate::names::Definition;
use crate::syntax::Word;
use crate::value::regex::{Regex, RegexError, Sieve};
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

/// Expressions in order, each with what holds where it is the first that matches.
#[derive(Clone, Debug)]
pub struct Patterns<T> {
    all: Vec<(Pattern, T)>,
    /// Which of them may match; not there while some are added, and where it is of no use.
    sieve: Option<Sieve>,
}

impl<T> Default for Patterns<T> {
    fn default() -> Self {
        Self { all: Vec::new(), sieve: None }
    }
}

impl<T> Patterns<T> {
    /// Adds one behind the others.
    pub(crate) fn push(&mut self, pattern: Pattern, value: T) {
        self.all.push((pattern, value));
        self.sieve = None;
    }

    /// Prepares for being asked, when all are there.
    pub(crate) fn complete(&mut self, compiled: &mut Compiled) {
        let regexes: Vec<&Regex> = self.all.iter().map(|(pattern, _)| &pattern.regex).collect();
        self.sieve = compiled.sieve(&regexes);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The first that matches a subject; asked are those, in order, that may.
    pub fn first(
        &self,
        subject: &[u8],
        mut matches: impl FnMut(&Pattern) -> bool,
    ) -> Option<&(Pattern, T)> {
        match &self.sieve {
            None => self.all.iter().find(|(pattern, _)| matches(pattern)),
            Some(sieve) => sieve
                .candidates(subject)
                .filter_map(|number| self.all.get(number))
                .find(|(pattern, _)| matches(pattern)),
        }
    }
}

/// The expressions so far. What is said in many servers, such as `\.php$`, is compiled once.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    regexes: HashMap<(String, bool), Regex>,
    /// What sifts a list of them, by which they are: a file that is included in many servers has the same
    /// list in all.
    sieves: HashMap<Vec<usize>, Option<Sieve>>,
}

impl Compiled {
    /// The program of an expression.
    fn regex(&mut self, text: &str, caseless: bool) -> Result<Regex, RegexError> {
        if let Some(known) = self.regexes.get(&(text.to_owned(), caseless)) {
            return Ok(known.clone());
        }
        let regex = Regex::new(text, caseless)?;
        self.regexes.insert((text.to_owned(), caseless), regex.clone());
        Ok(regex)
    }

    /// What sifts these, where it is of use.
    fn sieve(&mut self, regexes: &[&Regex]) -> Option<Sieve> {
        let which = regexes.iter().map(|regex| regex.identity()).collect();
        self.sieves.entry(which).or_insert_with(|| Sieve::new(regexes)).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_again_is_sifted_by_the_same() {
        let mut compiled = Compiled::default();
        let mut sieve = |texts: &[&str]| {
            let regexes: Vec<Regex> =
                texts.iter().map(|text| compiled.regex(text, false).unwrap()).collect();
            compiled.sieve(&regexes.iter().collect::<Vec<_>>())
        };
        let [first, second, third] =
            [&[r"\.a$", r"\.b$"][..], &[r"\.a$", r"\.b$"], &[r"\.b$", r"\.a$"]]
                .map(|texts| sieve(texts).unwrap());
        assert!(first.is(&second) && !first.is(&third));
        assert!(sieve(&[r"\.a$"]).is_none());
    }
}
