//! What matching costs, counted rather than timed.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use fancy_regex::{Input, MatchBytes};

/// What all expressions of a request may cost together.
const REQUEST: u64 = 60_000_000;

/// What the expressions of one request may still cost, in units of about a nanosecond, the time it takes to
/// read a byte. Expressions that run in time linear in their subject cost nothing here.
#[derive(Clone, Debug)]
pub struct Effort {
    left: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Self { left: REQUEST }
    }
}

impl Effort {
    /// What has been spent of it.
    #[cfg(test)]
    pub(super) fn spent(&self) -> u64 {
        REQUEST - self.left
    }

    /// Lets an engine act on a subject, at a cost of no more than `most`. `None`: it gave up.
    pub(super) fn spend<T>(
        &mut self,
        most: u64,
        subject: &Metered<'_>,
        act: impl FnOnce(&Metered<'_>) -> T,
    ) -> Option<T> {
        let most = most.min(self.left);
        subject.left.set(most);
        let done = catch_unwind(AssertUnwindSafe(|| act(subject)));
        self.left -= most - subject.left.get();
        match done {
            Ok(done) => Some(done),
            Err(payload) if payload.is::<Spent>() => None,
            // Where faults are looked for, one of the engine is one; who serves only has no match by it.
            Err(payload) if cfg!(debug_assertions) => resume_unwind(payload),
            Err(_) => None,
        }
    }
}

/// Thrown through the engine, which asks for nothing else that could end it.
struct Spent;

/// A subject that counts how often the engine looks at it, which it does at nearly every step: at none
/// that leads back to where it has been. When all is spent, the engine is left by unwinding; what it
/// keeps for the next time it takes up anew then.
pub(super) struct Metered<'a> {
    subject: &'a [u8],
    cost: u64,
    left: Cell<u64>,
}

impl<'a> Metered<'a> {
    /// A subject each look at which costs this much.
    pub(super) fn new(subject: &'a [u8], cost: u64) -> Self {
        Self { subject, cost, left: Cell::new(0) }
    }

    fn look(&self, cost: u64) {
        if let Some(left) = self.left.get().checked_sub(cost) {
            self.left.set(left);
        } else {
            self.left.set(0);
            resume_unwind(Box::new(Spent));
        }
    }
}

impl Input for Metered<'_> {
    type Match<'t>
        = MatchBytes<'t>
    where
        Self: 't;

    fn len(&self) -> usize {
        // Without reading any byte.
        self.look(16);
        self.subject.len()
    }

    fn as_bytes(&self) -> &[u8] {
        self.look(self.cost);
        self.subject
    }

    fn is_char_boundary(&self, at: usize) -> bool {
        Input::is_char_boundary(self.subject, at)
    }

    fn is_ascii(&self) -> bool {
        self.subject.is_ascii()
    }

    fn prev_codepoint_ix(&self, at: usize) -> usize {
        Input::prev_codepoint_ix(self.subject, at)
    }

    fn make_match(&self, start: usize, end: usize) -> MatchBytes<'_> {
        self.subject.make_match(start, end)
    }

    fn advance_position(&self, at: usize) -> usize {
        self.subject.advance_position(at)
    }
}
