//! What is legal and hardly meant: one rule a file, each finding with its mend.
//!
//! A rule looks at one level at a time: the statements of a block and of those around it. It must
//! be right when it speaks; one that guesses is worse than none.

mod access_log_off;
mod alias_slash;
mod auth_without_file;
mod client_address;
mod content_type;
mod curly_quotes;
mod doubled_root;
mod forwarded_fields;
mod if_trap;
mod location_slash;
mod lost_list;
mod other_protocol;
mod pass_slash;
mod plain_443;
mod swallowed;
mod try_files_status;
mod unreached;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::directive::Table;
use crate::source::Sources;
use crate::syntax::{End, Statement};

/// All rules, in the order in which they speak.
const RULES: [fn(&Level<'_>, &mut Diagnostics); 16] = [
    access_log_off::check,
    alias_slash::check,
    auth_without_file::check,
    client_address::check,
    content_type::check,
    curly_quotes::check,
    doubled_root::check,
    forwarded_fields::check,
    if_trap::check,
    location_slash::check,
    lost_list::check,
    other_protocol::check,
    pass_slash::check,
    plain_443::check,
    try_files_status::check,
    unreached::check,
];

/// Blocks whose statements are no directives.
const TABLES: [&str; 5] = ["charset_map", "geo", "map", "split_clients", "types"];

/// A level of the configuration.
#[derive(Clone, Copy)]
struct Level<'a> {
    /// The statement whose block it is; `None` outside all blocks.
    opener: Option<&'a Statement>,
    /// Its statements.
    body: &'a [Statement],
    /// The level around it.
    around: Option<&'a Level<'a>>,
}

impl<'a> Level<'a> {
    /// The name of its block; empty outside all blocks.
    fn name(&self) -> &'a str {
        self.opener.map(|opener| opener.name.text.as_str()).unwrap_or_default()
    }

    /// All statements of this name.
    fn all(&self, name: &'a str) -> impl Iterator<Item = &'a Statement> + use<'a> {
        self.body.iter().filter(move |statement| statement.name.text == name)
    }

    /// The first statement of this name.
    fn first(&self, name: &'a str) -> Option<&'a Statement> {
        self.all(name).next()
    }

    /// What forwards from here: `proxy_pass` and its kin.
    fn pass(&self) -> Option<&'a Statement> {
        let passes = ["proxy_pass", "uwsgi_pass", "fastcgi_pass", "scgi_pass", "grpc_pass"];
        self.body.iter().find(|statement| passes.contains(&statement.name.text.as_str()))
    }

    /// Modifier and name of a location.
    fn location(&self) -> Option<(&'a str, &'a str)> {
        let opener = self.opener.filter(|opener| opener.name.text == "location")?;
        match opener.args.as_slice() {
            [modifier, name] => Some((&modifier.text, &name.text)),
            [name] => {
                let cut = name.text.find(|c| !"=^~*".contains(c)).unwrap_or(name.text.len());
                Some(name.text.split_at(cut))
            }
            _ => None,
        }
    }

    /// The name of a location of URIs that begin with it.
    fn prefix(&self) -> Option<&'a str> {
        self.location().filter(|(modifier, _)| ["", "^~"].contains(modifier)).map(|(_, name)| name)
    }
}

/// The text of the first argument.
fn first_of(statement: &Statement) -> &str {
    statement.args.first().map(|word| word.text.as_str()).unwrap_or_default()
}

/// A warning at a statement.
fn warn(
    diagnostics: &mut Diagnostics,
    statement: &Statement,
    text: impl Into<String>,
    hint: impl Into<String>,
) {
    let span = match &statement.end {
        End::Semicolon => statement.span,
        End::Block { .. } => statement
            .args
            .last()
            .map_or(statement.name.span, |last| statement.name.span.to(last.span)),
    };
    diagnostics.push(Diagnostic::warn(text).at(span).hint(hint));
}

/// Looks at a whole configuration with every rule.
pub(crate) fn run(
    statements: &[Statement],
    table: &Table,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) {
    swallowed::check(statements, table, sources, diagnostics);
    visit(&Level { opener: None, body: statements, around: None }, diagnostics);
}

fn visit(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    for rule in RULES {
        rule(level, diagnostics);
    }
    for statement in level.body {
        if let End::Block { body, .. } = &statement.end
            && !TABLES.contains(&statement.name.text.as_str())
            && !statement.name.text.ends_with("_by_lua_block")
        {
            visit(&Level { opener: Some(statement), body, around: Some(level) }, diagnostics);
        }
    }
}
