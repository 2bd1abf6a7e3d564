//! What is legal and wrong: one rule a file.

mod other_protocol;

use crate::diagnostic::Diagnostics;
use crate::syntax::Statement;

/// Looks at a whole configuration with every rule.
pub(crate) fn run(statements: &[Statement], diagnostics: &mut Diagnostics) {
    other_protocol::check(statements, diagnostics);
}
