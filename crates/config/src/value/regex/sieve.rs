//! Which of many expressions may match a subject, told by reading it once.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use aho_corasick::automaton::Automaton;
use aho_corasick::{Anchored, StartKind, dfa, nfa};

use super::Regex;

/// Texts with fewer different beginnings are looked for by a table, which is faster and larger: a
/// beginning takes some 256 bytes, and at most a kibibyte.
const MOST_FOR_TABLE: usize = 8192;

/// So many expressions are worth reading the subject for, even where each of them is refused by its beginning.
const ENOUGH: usize = 8;

/// Tells of a list of expressions those that may match a subject. Each text without which one of them
/// matches nothing is looked for, all of them at once, so that what it costs grows with the length of the
/// subject and hardly with the number of expressions. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Sieve {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    regexes: Vec<Regex>,
    /// Made for the first subject: a process that serves nobody needs none.
    mesh: OnceLock<Mesh>,
}

#[derive(Debug)]
struct Mesh {
    /// The expressions that may match whatever is in the subject.
    always: Vec<usize>,
    /// Which expressions ask for a text, by the texts' numbers.
    askers: Vec<Vec<usize>>,
    /// `None`: no expression asks for any.
    finder: Option<Finder>,
}

/// Finds all texts in a subject.
#[derive(Debug)]
enum Finder {
    Table(dfa::DFA),
    Chain(nfa::contiguous::NFA),
}

impl Sieve {
    /// A sieve for these expressions, in their order. `None` where trying each costs less.
    pub(crate) fn new(regexes: &[&Regex]) -> Option<Self> {
        let searched = |regex: &&&Regex| !regex.has_start() && regex.required().is_some();
        let is_worth_it =
            regexes.len() >= ENOUGH || regexes.iter().filter(searched).take(2).count() == 2;
        is_worth_it.then(|| Self::of(regexes))
    }

    fn of(regexes: &[&Regex]) -> Self {
        let regexes = regexes.iter().copied().cloned().collect();
        Self { shared: Arc::new(Shared { regexes, mesh: OnceLock::new() }) }
    }

    /// Whether both are one, made once.
    #[cfg(test)]
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// The numbers of the expressions that may match a subject, in order; the others do not.
    pub(crate) fn candidates(&self, subject: &[u8]) -> Numbers {
        let Shared { regexes, mesh } = &*self.shared;
        let Mesh { always, askers, finder } = mesh.get_or_init(|| Mesh::new(regexes));
        let mut numbers = Numbers::new(regexes.len());
        numbers.extend(always);
        let texts = finder.as_ref().map(|finder| finder.find(subject, askers.len()));
        for text in texts.into_iter().flatten() {
            numbers.extend(askers.get(text).into_iter().flatten());
        }
        numbers
    }
}

impl Mesh {
    fn new(regexes: &[Regex]) -> Self {
        let mut texts: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
        let mut always = Vec::new();
        for (number, regex) in regexes.iter().enumerate() {
            match regex.required() {
                None => always.push(number),
                Some(required) => {
                    for text in required {
                        texts.entry(text).or_default().push(number);
                    }
                }
            }
        }
        let finder = Finder::new(texts.keys().copied());
        if finder.is_none() {
            always = (0..regexes.len()).collect();
        }
        Self { always, askers: texts.into_values().collect(), finder }
    }
}

impl Finder {
    /// Finds texts that are in lower case, and sorted, whatever case they are of there. `None`: there
    /// is none.
    fn new<'t>(texts: impl ExactSizeIterator<Item = &'t [u8]> + Clone) -> Option<Self> {
        if texts.len() == 0 {
            return None;
        }
        if beginnings(texts.clone()) <= MOST_FOR_TABLE {
            let mut table = dfa::Builder::new();
            table.ascii_case_insensitive(true).prefilter(false).start_kind(StartKind::Unanchored);
            return table.build(texts).ok().map(Self::Table);
        }
        let mut chain = nfa::contiguous::Builder::new();
        chain.ascii_case_insensitive(true).prefilter(false);
        chain.build(texts).ok().map(Self::Chain)
    }

    /// The numbers of the texts that are in a subject.
    fn find(&self, subject: &[u8], texts: usize) -> Numbers {
        let mut found = Numbers::new(texts);
        match self {
            Self::Table(table) => read(table, subject, &mut found),
            Self::Chain(chain) => read(chain, subject, &mut found),
        }
        found
    }
}

/// How many different beginnings texts have that are sorted.
fn beginnings<'t>(texts: impl Iterator<Item = &'t [u8]>) -> usize {
    let (mut count, mut last) = (0, [].as_slice());
    for text in texts {
        let alike = text.iter().zip(last).take_while(|(one, other)| one == other).count();
        count += text.len() - alike;
        last = text;
    }
    count
}

fn read(finder: &impl Automaton, subject: &[u8], found: &mut Numbers) {
    let Ok(mut state) = finder.start_state(Anchored::No) else { return };
    for byte in subject {
        state = finder.next_state(Anchored::No, state, *byte);
        if finder.is_match(state) {
            for nth in 0..finder.match_len(state) {
                found.insert(finder.match_pattern(state, nth).as_usize());
            }
        }
    }
}

/// A set of numbers, taken out in order. Those below 64 need no memory of their own.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    first: u64,
    /// The words behind it.
    rest: Vec<u64>,
    /// The word that is taken from.
    at: usize,
}

impl Numbers {
    /// Room for numbers below `most`.
    fn new(most: usize) -> Self {
        Self { first: 0, rest: vec![0; most.div_ceil(64).saturating_sub(1)], at: 0 }
    }

    fn insert(&mut self, number: usize) {
        if let Some(word) = self.word(number / 64) {
            *word |= 1 << (number % 64);
        }
    }

    fn extend<'n>(&mut self, numbers: impl IntoIterator<Item = &'n usize>) {
        numbers.into_iter().for_each(|number| self.insert(*number));
    }

    fn word(&mut self, at: usize) -> Option<&mut u64> {
        match at.checked_sub(1) {
            None => Some(&mut self.first),
            Some(at) => self.rest.get_mut(at),
        }
    }
}

impl Iterator for Numbers {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        loop {
            let at = self.at;
            let word = self.word(at)?;
            if *word != 0 {
                let bit = word.trailing_zeros() as usize;
                *word &= *word - 1;
                return Some(at * 64 + bit);
            }
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests;
