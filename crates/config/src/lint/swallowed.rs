//! A `;` that is missing swallows the next line, where a directive takes any number of words.

use std::collections::HashSet;

use super::{Check, Rule};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::directive::Table;
use crate::source::Sources;
use crate::syntax::{End, Statement};

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "swallowed",
    title: "A `;` that is missing, so that the next line is taken for arguments",
    danger: "The directive of the next line does nothing, and the one before it says something odd.",
    mend: "Write the `;`.",
    example: "server { index a.html\n autoindex on; }",
    mended: "server { index a.html;\n autoindex on; }",
    check: Check::Whole(check),
};

/// Directives whose names are also found as hosts, groups and values.
const VALUES: [&str; 8] = ["env", "http", "map", "mail", "server", "ssl", "stream", "user"];

/// Looks for the name of a directive that begins a line within another one.
fn check(
    statements: &[Statement],
    table: &Table,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) {
    let refused = diagnostics.iter().filter(|found| found.severity == Severity::Emerg);
    let refused = refused.filter_map(|found| found.span).map(|span| (span.file, span.start));
    let refused: HashSet<(u32, u32)> = refused.collect();
    let look = Look { table, sources, refused };
    look.within(statements, diagnostics);
}

/// What is known while it is looked for.
struct Look<'a> {
    table: &'a Table,
    sources: &'a Sources,
    /// Where statements begin that are refused anyway.
    refused: HashSet<(u32, u32)>,
}

impl Look<'_> {
    fn within(&self, statements: &[Statement], diagnostics: &mut Diagnostics) {
        let (table, sources) = (self.table, self.sources);
        for statement in statements {
            if let End::Block { body, .. } = &statement.end {
                self.within(body, diagnostics);
            }
            if self.refused.contains(&(statement.span.file, statement.span.start)) {
                continue;
            }
            let line = |span| sources.line(span);
            let mut before = line(statement.name.span);
            let name = &statement.name.text;
            for word in &statement.args {
                let here = line(word.span);
                let begins = here != before && !word.quoted;
                let directive = table.knows(&word.text) && !VALUES.contains(&word.text.as_str());
                if begins && directive && table.knows(name) {
                    let text = format!("\"{}\" is taken for an argument of \"{name}\"", word.text);
                    let hint = format!("a `;` is missing before `{}`", word.text);
                    diagnostics.push(Diagnostic::warn(text).at(word.span).hint(hint));
                }
                before = here;
            }
        }
    }
}
