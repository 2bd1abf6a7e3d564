//! What a request went through, noted for who asks why (`tidegate explain`).

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tidegate_config::block::Location;
use tidegate_config::http::error_log::Level;

use crate::exchange::Exchange;

/// What happened to a request and to those that were made for it, in order.
#[derive(Debug, Default)]
pub struct Trace<'a> {
    events: RefCell<Vec<Noted<'a>>>,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Noted<'a> {
    /// What it was.
    pub event: Event<'a>,
    /// The level it happened at.
    pub at: &'a Location,
    /// Whether it happened to a request that was made for the one that is asked about.
    pub within: bool,
}

/// What can happen.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A step of `rewrite`, `set`, `return`, `break` or `if` was taken.
    Step {
        /// The level whose steps these are.
        level: &'a Location,
        /// Which of its steps, counted from 0.
        number: usize,
        /// What came of it.
        outcome: Outcome,
    },
    /// A location was looked for, for this path.
    Searched(Bytes),
    /// A location was found; nested ones follow.
    Found(&'a Location, &'static str),
    /// `error_page` takes over this status, and names this.
    ErrorPage(u16, Bytes),
    /// The request goes on with this path and query.
    Redirected(Bytes, Option<Bytes>),
    /// A file or folder was looked for.
    Tried {
        /// By which directive.
        by: &'static str,
        /// Its path.
        path: PathBuf,
        /// Whether it was there.
        there: bool,
    },
    /// What somebody else would say is taken to be this.
    Assumed(String),
    /// The log would be told.
    Logged(Level, String),
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The variable has this value now.
    Value(Bytes),
    /// Whether the condition holds or, for a `rewrite`, the expression matches.
    Holds(bool),
    /// Path and query are these now.
    Uri(Bytes, Option<Bytes>),
    /// It was the last step.
    Ends,
}

impl<'a> Trace<'a> {
    /// All of it so far.
    pub fn take(&self) -> Vec<Noted<'a>> {
        self.events.take()
    }
}

impl<'a> Exchange<'a> {
    /// Notes an event where somebody asks; else it is not even made.
    pub fn note(&self, event: impl FnOnce() -> Event<'a>) {
        if let Some(trace) = &self.trace {
            let noted = Noted { event: event(), at: self.location, within: self.subrequest };
            trace.events.borrow_mut().push(noted);
        }
    }

    /// Notes that a file or folder was looked for.
    pub fn tried(&self, by: &'static str, path: &Path, there: bool) {
        self.note(|| Event::Tried { by, path: path.to_path_buf(), there });
    }

    /// Notes that a location was found, and why.
    pub(crate) fn look(&self, location: &'a Location, why: &'static str) {
        self.note(|| Event::Found(location, why));
    }

    /// Notes what came of a step.
    pub(crate) fn step(
        &self,
        level: &'a Location,
        number: usize,
        outcome: impl FnOnce() -> Outcome,
    ) {
        self.note(|| Event::Step { level, number, outcome: outcome() });
    }
}
