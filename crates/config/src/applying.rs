//! Which directives hold at a level, and where each is written.

use std::collections::HashSet;

use crate::block::{Http, Location, table};
use crate::directive::{Context, Contexts, Declaration, Table};
use crate::syntax::{End, Statement};

/// A directive that holds.
#[derive(Clone, Copy, Debug)]
pub struct Applying<'a> {
    /// As written.
    pub statement: &'a Statement,
    /// The block it stands in; none for what stands outside all blocks.
    pub level: Option<&'a Statement>,
    /// Whether it comes from a level around the innermost one.
    pub inherited: bool,
}

/// The blocks around a level of a server and its own, outermost first, as they are written: `http`,
/// `server`, and perhaps locations, an `if` or a `limit_except`.
pub fn levels<'a>(
    statements: &'a [Statement],
    (http, server): (&Http, usize),
    level: &Location,
) -> Vec<&'a Statement> {
    let Some(written) = statements.iter().find(|statement| statement.name.text == "http") else {
        return Vec::new();
    };
    let mut levels = vec![written];
    if let (Some(written), Some(server)) =
        (blocks(written, "server").nth(server), http.servers.get(server))
        && !descend(written, &server.location, level, &mut levels)
    {
        levels.push(written);
    }
    levels
}

/// What is written and what it has become lie in the same order.
fn descend<'a>(
    written: &'a Statement,
    here: &Location,
    wanted: &Location,
    levels: &mut Vec<&'a Statement>,
) -> bool {
    levels.push(written);
    if std::ptr::eq(here, wanted) {
        return true;
    }
    let locations = blocks(written, "location").zip(here.locations.all());
    let conditions = blocks(written, "if").zip(&here.conditions);
    let methods = here.limit_except.iter().map(|limit| &limit.location);
    let all = locations.chain(conditions).chain(blocks(written, "limit_except").zip(methods));
    for (written, inner) in all {
        if descend(written, inner, wanted, levels) {
            return true;
        }
    }
    levels.pop();
    false
}

fn blocks<'a>(statement: &'a Statement, name: &'a str) -> impl Iterator<Item = &'a Statement> {
    let is_one = move |inner: &&Statement| inner.name.text == name && inner.end != End::Semicolon;
    statement.body().iter().filter(is_one)
}

/// The step of this number at a level: `rewrite`, `set`, `return`, `break` or `if`.
pub fn step(level: &Statement, number: usize) -> Option<&Statement> {
    let steps = ["rewrite", "set", "return", "break", "if"];
    level.body().iter().filter(|inner| steps.contains(&inner.name.text.as_str())).nth(number)
}

/// The directives that hold at the innermost of these levels, innermost first. Of those that say the
/// same, the nearest level's alone do, save that a level may add to what lies around it.
pub fn applying<'a>(statements: &'a [Statement], levels: &[&'a Statement]) -> Vec<Applying<'a>> {
    let table = table();
    let mut said = HashSet::new();
    let mut all = Vec::new();
    // Whether what is not inherited still holds: so it does under a condition of the same location.
    let mut same = true;
    for (depth, level) in levels.iter().enumerate().rev() {
        let (context, inherited) = (context(levels, depth), depth + 1 < levels.len());
        let mut here: Vec<String> = Vec::new();
        for statement in level.body() {
            let Some(declared) = holding(table, statement, context) else { continue };
            let elsewhere = declared.own && !same && declared.contexts != SERVER;
            if elsewhere || said.contains(&declared.field) || is_definition(declared) {
                continue;
            }
            here.push(declared.field.clone());
            all.push(Applying { statement, level: Some(level), inherited });
        }
        here.retain(|field| !adds(level, field));
        said.extend(here);
        same &= matches!(context, Context::LocationIf | Context::LimitExcept);
    }
    // Of what stands outside all blocks, only the log is about requests.
    if !all.iter().any(|one| one.statement.name.text == "error_log") {
        let logs = statements.iter().filter(|statement| statement.name.text == "error_log");
        all.extend(logs.map(|statement| Applying { statement, level: None, inherited: true }));
    }
    all
}

/// What is said of servers as a whole holds in all their locations.
const SERVER: Contexts = Contexts::of(&[Context::Server]);

/// The declaration of a statement that is no level of its own.
fn holding<'t>(
    table: &'t Table,
    statement: &Statement,
    context: Context,
) -> Option<&'t Declaration> {
    let plain = statement.end == End::Semicolon || statement.name.text == "types";
    plain.then(|| table.find(&statement.name.text, context)).flatten()
}

/// Whether a level adds to what lies around it instead of taking its place.
fn adds(level: &Statement, field: &str) -> bool {
    let merges = |name: &str| {
        level.body().iter().any(|inner| {
            inner.name.text == name && inner.args.first().is_some_and(|word| word.text == "merge")
        })
    };
    (field.ends_with("Headers::add") && merges("add_header_inherit"))
        || (field.ends_with("Headers::trailers") && merges("add_trailer_inherit"))
}

/// Whether a directive defines something for others to use, rather than holding anywhere.
fn is_definition(declared: &Declaration) -> bool {
    declared.repeat && declared.contexts == Contexts::of(&[Context::Http])
}

fn context(levels: &[&Statement], depth: usize) -> Context {
    let within_location = levels.iter().take(depth).any(|level| level.name.text == "location");
    match levels.get(depth).map(|level| level.name.text.as_str()) {
        Some("http") => Context::Http,
        Some("server") => Context::Server,
        Some("if") if within_location => Context::LocationIf,
        Some("if") => Context::ServerIf,
        Some("limit_except") => Context::LimitExcept,
        _ => Context::Location,
    }
}
