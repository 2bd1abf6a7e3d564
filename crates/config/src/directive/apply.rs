//! Judges every statement, in nginx's order, and finds who takes note of it.

use std::collections::HashMap;

use super::{Context, Contexts, Cx, Declaration, Effect, Fault, Key, absent, unacted};
use crate::block::Opens;
use crate::diagnostic::{Diagnostic, suggest};
use crate::source::Span;
use crate::syntax::{End, Statement, Word};

/// Who takes note of a directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A feature of `main`.
    Main(Key),
    /// A feature of `events`.
    Events(Key),
    /// A feature of `http` that no server has.
    Http(Key),
    /// A feature of servers.
    Server(Key),
    /// A feature of locations.
    Location(Key),
    /// A feature of upstreams.
    Upstream(Key),
    /// Nobody.
    Nobody,
    /// It opens a block.
    Block(Opens),
}

/// All directives by name.
#[derive(Debug, Default)]
pub(crate) struct Table {
    by_name: HashMap<String, Vec<(Declaration, Owner)>>,
}

impl Table {
    /// Adds a block's directives.
    pub(crate) fn add(
        &mut self,
        declarations: Vec<(Declaration, Key)>,
        owner: impl Fn(Key) -> Owner,
    ) {
        for (declaration, key) in declarations {
            self.push(declaration, owner(key));
        }
    }

    /// Adds one directive.
    pub(crate) fn push(&mut self, declaration: Declaration, owner: Owner) {
        self.by_name.entry(declaration.name.clone()).or_default().push((declaration, owner));
    }

    /// All directives, ordered by name.
    pub(crate) fn declarations(&self) -> Vec<&Declaration> {
        let mut all: Vec<_> =
            self.by_name.values().flatten().map(|(declared, _)| declared).collect();
        all.sort_by(|one, two| one.name.cmp(&two.name));
        all
    }

    /// The directive of this name that may stand there.
    pub(crate) fn find(&self, name: &str, context: Context) -> Option<&Declaration> {
        let known = self.by_name.get(name)?;
        known.iter().map(|(declared, _)| declared).find(|d| d.contexts.contains(context))
    }

    /// Whether there is a directive of this name.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }
}

/// Judges a statement as nginx does (`ngx_conf_handler`): unknown, not allowed here, wrongly ended,
/// wrong number of arguments. `None` means that it was faulty, and that this has been said.
pub(crate) fn judge(
    table: &Table,
    statement: &Statement,
    context: Context,
    cx: &mut Cx<'_>,
) -> Option<Owner> {
    let name = &statement.name.text;
    let known = table.by_name.get(name).map(Vec::as_slice).unwrap_or_default();
    let Some((declaration, owner)) = known.iter().find(|(d, _)| d.contexts.contains(context))
    else {
        if let Some(diagnostic) = misplaced(table, statement, known, cx) {
            cx.diagnostics.push(diagnostic);
        }
        return None;
    };
    if let Some(diagnostic) = malformed(table, declaration, statement) {
        cx.diagnostics.push(diagnostic);
        return None;
    }
    match declaration.effect {
        Effect::Ignored(reason) => {
            if let Err(fault) = unacted::check(statement, cx) {
                report(&fault, statement, cx);
                return None;
            }
            cx.names.ignored(name, reason, statement.span);
        }
        Effect::Refused { reason, unless } => {
            let harmless = |word: &Word| !unless.is_empty() && word.text == unless;
            if !matches!(statement.args.as_slice(), [only] if harmless(only)) {
                let text = format!("\"{name}\" directive is not supported: {reason}");
                cx.diagnostics.push(Diagnostic::emerg(text).at(statement.name.span));
            }
            return None;
        }
        Effect::Acts | Effect::Differs(_) => {}
    }
    Some(*owner)
}

fn misplaced(
    table: &Table,
    statement: &Statement,
    known: &[(Declaration, Owner)],
    cx: &mut Cx<'_>,
) -> Option<Diagnostic> {
    let name = &statement.name;
    if known.is_empty() {
        return unknown(table, statement, cx);
    }
    let allowed = known.iter().fold(Contexts::of(&[]), |all, (d, _)| all.or(d.contexts));
    let text = format!("\"{}\" directive is not allowed here", name.text);
    let hint = format!("allowed in: {}", allowed.names().join(", "));
    Some(Diagnostic::emerg(text).at(name.span).hint(hint))
}

/// It may be of a module that is not built in; `off` turns off what is not there.
fn unknown(table: &Table, statement: &Statement, cx: &mut Cx<'_>) -> Option<Diagnostic> {
    let name = &statement.name;
    if let Some((module, passed_over)) = absent::owner(&name.text) {
        let off = matches!(statement.args.as_slice(), [only] if only.text == "off");
        if passed_over || off {
            cx.names.ignored(&name.text, module.lacks(), statement.span);
            return None;
        }
        let (name, lacks, instead) = (&name.text, module.lacks(), module.instead);
        let text = format!("unknown directive \"{name}\": {lacks}");
        return Some(Diagnostic::emerg(text).at(statement.name.span).hint(instead));
    }
    let diagnostic =
        Diagnostic::emerg(format!("unknown directive \"{}\"", name.text)).at(name.span);
    let near = if cx.diagnostics.are_many() { None } else { suggest(&name.text, table.names()) };
    Some(match near {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => diagnostic,
    })
}

fn malformed(
    table: &Table,
    declaration: &Declaration,
    statement: &Statement,
) -> Option<Diagnostic> {
    let name = &statement.name;
    let opens = matches!(statement.end, End::Block { .. });
    if opens && !declaration.block {
        let text = format!("directive \"{}\" is not terminated by \";\"", name.text);
        return Some(Diagnostic::emerg(text).at(name.span));
    }
    if !opens && declaration.block {
        let text = format!("directive \"{}\" has no opening \"{{\"", name.text);
        return Some(Diagnostic::emerg(text).at(name.span));
    }
    if declaration.arity.allows(statement.args.len()) {
        return None;
    }
    let text = format!("invalid number of arguments in \"{}\" directive", name.text);
    let diagnostic = Diagnostic::emerg(text).at(statement.span);
    let swallowed = statement.args.iter().find(|word| !word.quoted && table.knows(&word.text));
    Some(match swallowed {
        Some(word) => diagnostic.hint(format!("is a `;` missing before `{}`?", word.text)),
        None => diagnostic.hint(expectation(declaration)),
    })
}

fn expectation(declaration: &Declaration) -> String {
    let arity = declaration.arity;
    let name = &declaration.name;
    match (arity.least, arity.most) {
        _ if arity.flag => format!("`{name}` takes `on` or `off`"),
        (0, Some(0)) => format!("`{name}` takes no argument"),
        (1, Some(1)) => format!("`{name}` takes one argument"),
        (least, Some(most)) if least == most => format!("`{name}` takes {least} arguments"),
        (least, Some(most)) => format!("`{name}` takes {least} to {most} arguments"),
        (1, None) => format!("`{name}` takes at least one argument"),
        (least, None) => format!("`{name}` takes at least {least} arguments"),
    }
}

/// Says what is wrong with a directive's value.
pub(crate) fn report(fault: &Fault, statement: &Statement, cx: &mut Cx<'_>) {
    let name = &statement.name.text;
    let text = if fault.phrase {
        format!("\"{name}\" directive {}", fault.message)
    } else {
        fault.message.to_string()
    };
    let span = fault.span.filter(|span| *span != Span::NONE).unwrap_or(statement.span);
    let diagnostic = Diagnostic::emerg(text).at(span);
    cx.diagnostics.push(match &fault.hint {
        Some(hint) => diagnostic.hint(hint.clone()),
        None => diagnostic,
    });
}
