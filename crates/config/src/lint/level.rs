//! A level of the configuration as rules see it.

use std::collections::HashMap;
use std::path::Path;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::syntax::{End, Statement};

/// What forwards: `proxy_pass` and its kin.
const PASSES: [&str; 6] =
    ["proxy_pass", "uwsgi_pass", "fastcgi_pass", "scgi_pass", "grpc_pass", "memcached_pass"];

/// A level of the configuration.
#[derive(Clone, Copy)]
pub(super) struct Level<'a> {
    /// The statement whose block it is; `None` outside all blocks.
    pub(super) opener: Option<&'a Statement>,
    /// Its statements.
    pub(super) body: &'a [Statement],
    /// The level around it.
    pub(super) around: Option<&'a Level<'a>>,
    /// Where relative paths begin.
    pub(super) prefix: &'a Path,
    /// Its statements by name, where there are many.
    pub(super) index: Option<&'a Index<'a>>,
}

/// The statements of a long level.
pub(super) struct Index<'a> {
    by_name: HashMap<&'a str, Vec<&'a Statement>>,
    /// The first of each name and first argument.
    by_word: HashMap<(&'a str, &'a str), &'a Statement>,
    /// The first that forwards.
    pass: Option<&'a Statement>,
}

impl<'a> Index<'a> {
    /// An index, where a level is long enough to be worth one.
    pub(super) fn of(body: &'a [Statement]) -> Option<Self> {
        if body.len() < 32 {
            return None;
        }
        let pass = first_pass(body);
        let mut index = Self { by_name: HashMap::new(), by_word: HashMap::new(), pass };
        for statement in body {
            let name = statement.name.text.as_str();
            index.by_name.entry(name).or_default().push(statement);
            index.by_word.entry((name, first_of(statement))).or_insert(statement);
        }
        Some(index)
    }
}

impl<'a> Level<'a> {
    /// The name of its block; empty outside all blocks.
    pub(super) fn name(&self) -> &'a str {
        self.opener.map(|opener| opener.name.text.as_str()).unwrap_or_default()
    }

    /// All statements of this name.
    pub(super) fn all(&self, name: &'a str) -> impl Iterator<Item = &'a Statement> + use<'a> {
        let found = self.index.and_then(|index| index.by_name.get(name));
        let found = found.map(Vec::as_slice).unwrap_or_default();
        let scanned = if self.index.is_some() { &[] } else { self.body };
        let scanned = scanned.iter().filter(move |statement| statement.name.text == name);
        found.iter().copied().chain(scanned)
    }

    /// The first statement of this name with this first argument.
    pub(super) fn called(&self, name: &'a str, word: &'a str) -> Option<&'a Statement> {
        match self.index {
            Some(index) => index.by_word.get(&(name, word)).copied(),
            None => self.all(name).find(|statement| first_of(statement) == word),
        }
    }

    /// The first statement of this name.
    pub(super) fn first(&self, name: &'a str) -> Option<&'a Statement> {
        self.all(name).next()
    }

    /// What forwards from here: `proxy_pass` and its kin.
    pub(super) fn pass(&self) -> Option<&'a Statement> {
        self.index.map_or_else(|| first_pass(self.body), |index| index.pass)
    }

    /// Modifier and name of a location.
    pub(super) fn location(&self) -> Option<(&'a str, &'a str)> {
        location_of(self.opener?)
    }

    /// The name of a location of URIs that begin with it.
    pub(super) fn prefix_name(&self) -> Option<&'a str> {
        self.location().filter(|(modifier, _)| ["", "^~"].contains(modifier)).map(|(_, name)| name)
    }

    /// This level and those around it, outwards.
    pub(super) fn outwards(&self) -> impl Iterator<Item = &Level<'a>> {
        std::iter::successors(Some(self), |level| level.around)
    }
}

fn first_pass(body: &[Statement]) -> Option<&Statement> {
    body.iter().find(|statement| PASSES.contains(&statement.name.text.as_str()))
}

/// Modifier and name of a `location` statement.
pub(super) fn location_of(statement: &Statement) -> Option<(&str, &str)> {
    if statement.name.text != "location" {
        return None;
    }
    match statement.args.as_slice() {
        [modifier, name] => Some((&modifier.text, &name.text)),
        [name] => {
            let cut = name.text.find(|c| !"=^~*".contains(c)).unwrap_or(name.text.len());
            Some(name.text.split_at(cut))
        }
        _ => None,
    }
}

/// The text of the first argument.
pub(super) fn first_of(statement: &Statement) -> &str {
    statement.args.first().map(|word| word.text.as_str()).unwrap_or_default()
}

/// A warning at a statement.
pub(super) fn warn(
    diagnostics: &mut Diagnostics,
    statement: &Statement,
    text: impl Into<String>,
    hint: impl Into<String>,
) {
    diagnostics.push(at(Diagnostic::warn(text), statement).hint(hint));
}

/// Advice at a statement: it works, and there is a better way.
pub(super) fn advise(
    diagnostics: &mut Diagnostics,
    statement: &Statement,
    text: impl Into<String>,
    hint: impl Into<String>,
) {
    diagnostics.push(at(Diagnostic::notice(text), statement).hint(hint));
}

fn at(diagnostic: Diagnostic, statement: &Statement) -> Diagnostic {
    diagnostic.at(match &statement.end {
        End::Semicolon => statement.span,
        End::Block { .. } => statement
            .args
            .last()
            .map_or(statement.name.span, |last| statement.name.span.to(last.span)),
    })
}
