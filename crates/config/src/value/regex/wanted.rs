//! What a translation is wanted for, and what is wrong with a pattern.

use std::borrow::Cow;

/// Whether a subject ends with a newline, before which `$` matches too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Plain,
    EndsWithNewline,
}

/// How it is to be matched, where that may go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// Parts in which nothing leads back are the linear engine's.
    Parts,
    /// Byte by byte: no part is repeated by the linear engine, so that each step is short.
    Steps,
    /// Without what looks around, refers to groups or gives nothing back: it matches wherever the
    /// expression does, and elsewhere.
    Loosely,
}

/// What is wrong, and at which byte of the pattern.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) message: Cow<'static, str>,
    pub(super) at: usize,
}

impl Fault {
    pub(super) fn new(message: impl Into<Cow<'static, str>>, at: usize) -> Fault {
        Fault { message: message.into(), at }
    }
}
