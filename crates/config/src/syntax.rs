//! The language of the files: statements of words, ended by `;` or a block in braces.

mod format;
mod include;
mod layout;
mod lua;
mod placeholder;
mod statement;
mod token;

pub use format::format;
pub use include::{ReadOptions, parse, read};

#[cfg(test)]
mod tests;

use crate::source::Span;

/// A name or a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// What it means, without quotes and escapes.
    pub text: String,
    /// Where it is written, quotes included.
    pub span: Span,
    /// Whether it began with a quote.
    pub quoted: bool,
}

/// A directive as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The first word.
    pub name: Word,
    /// The words after it.
    pub args: Vec<Word>,
    /// How it ends.
    pub end: End,
    /// From the first word up to and with the `;` or the closing brace.
    pub span: Span,
}

impl Statement {
    /// What its block holds; nothing where it has none.
    pub fn body(&self) -> &[Statement] {
        match &self.end {
            End::Block { body, .. } => body,
            End::Semicolon => &[],
        }
    }
}

/// How a statement ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// By `;`.
    Semicolon,
    /// By a block.
    Block {
        /// The opening brace.
        open: Span,
        /// What the block holds, included files in their places.
        body: Vec<Statement>,
    },
}
