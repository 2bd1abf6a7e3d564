//! What is told of a request, as text and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::story::{Answer, ELSEWHERE, Held, Line, Place, Told};

/// So many locations are told one by one, whatever they are about.
const MANY: usize = 20;

/// For people.
pub(super) fn text(told: &Told) -> String {
    let mut text = format!("{} {} from {}\n\n", told.method, told.url, told.from);
    for line in [&told.listen, &told.server].into_iter().chain(&told.steps) {
        put(&mut text, line);
    }
    answer(&mut text, &told.answer);
    others(&mut text, &told.others);
    text.push_str("\nWhat holds:\n");
    let width = told.directives.iter().map(|held| held.directive.chars().count()).max();
    let width = width.unwrap_or_default().min(50);
    for held in &told.directives {
        let from = if held.inherited { "from" } else { "in" };
        let _ = writeln!(
            text,
            "  {:<width$}  {from} {}{}",
            held.directive,
            held.level,
            place(held.at.as_ref())
        );
    }
    text
}

/// The locations that were not taken; of many, those that might have been.
fn others(text: &mut String, all: &[Line]) {
    let might = |line: &&Line| all.len() <= MANY || !ELSEWHERE.contains(&line.told.as_str());
    let told: Vec<&Line> = all.iter().filter(might).collect();
    if !all.is_empty() {
        text.push_str("\nNot taken:\n");
    }
    for line in &told {
        put(text, line);
    }
    if told.len() < all.len() {
        let _ = writeln!(text, "  and {} more, which the URI is not about", all.len() - told.len());
    }
}

/// One line: what, its name, what came of it, where it is written.
fn put(text: &mut String, line: &Line) {
    let indent = if line.within { "    " } else { "  " };
    // A location is called so by its heading.
    let name = line.name.strip_prefix("location ").filter(|_| line.what == "location");
    let name = name.unwrap_or(&line.name);
    let at = place(line.at.as_ref());
    let _ = writeln!(text, "{indent}{:<10} {name}: {}{at}", line.what, line.told);
}

fn place(at: Option<&Place>) -> String {
    at.map(|at| format!("  ({}:{})", at.file, at.line)).unwrap_or_default()
}

fn answer(text: &mut String, answer: &Answer) {
    let status = answer.status.map(|status| status.to_string()).unwrap_or_default();
    let told = match (&answer.upstream, answer.by) {
        (Some(plan), _) => {
            let uri = String::from_utf8_lossy(&plan.uri);
            let status = answer.status.map(|status| format!("{status}, with "));
            let status = status.unwrap_or_default();
            format!("{status}what {}://{}{uri} says", plan.scheme, plan.group)
        }
        (None, "close") => format!("none: the connection is closed; {status} is logged"),
        (None, "dav_methods") => "what comes of a change to files, which is not tried".to_owned(),
        (None, "file") => match &answer.file {
            Some(file) => format!("{status}: the file {file}"),
            None => format!("{status}: no file"),
        },
        (None, "phase") => status,
        (None, by) => format!("{status}: {by}"),
    };
    let _ = write!(text, "  {:<10} {told}", "answer");
    if let Some(to) = &answer.redirect {
        let _ = write!(text, ", to {to}");
    }
    if let Some(body) = answer.body.as_ref().filter(|body| !body.is_empty()) {
        let _ = write!(text, ", {body:?}");
    }
    text.push('\n');
    for server in answer.upstream.iter().flat_map(|plan| &plan.servers) {
        let _ = writeln!(text, "  {:<10}   server {server}", "");
    }
}

/// For tools.
pub(super) fn json(told: &Told) -> Value {
    let lines = |lines: &[Line]| lines.iter().map(line).collect::<Vec<_>>();
    json!({
        "request": { "method": told.method, "url": told.url, "from": told.from },
        "listen": line(&told.listen),
        "server": line(&told.server),
        "steps": lines(&told.steps),
        "location": told.location.as_ref().map(line),
        "others": lines(&told.others),
        "answer": answer_json(&told.answer),
        "directives": told.directives.iter().map(held).collect::<Vec<_>>(),
    })
}

fn line(line: &Line) -> Value {
    json!({
        "what": line.what,
        "name": line.name,
        "told": line.told,
        "file": line.at.as_ref().map(|at| &at.file),
        "line": line.at.as_ref().map(|at| at.line),
        "subrequest": line.within,
    })
}

fn answer_json(answer: &Answer) -> Value {
    let upstream = answer.upstream.as_ref().map(|plan| {
        json!({
            "name": plan.group,
            "scheme": plan.scheme,
            "uri": String::from_utf8_lossy(&plan.uri),
            "servers": plan.servers,
        })
    });
    json!({
        "by": answer.by,
        "status": answer.status,
        "redirect": answer.redirect,
        "body": answer.body,
        "file": answer.file,
        "upstream": upstream,
    })
}

fn held(held: &Held) -> Value {
    json!({
        "directive": held.directive,
        "level": held.level,
        "inherited": held.inherited,
        "file": held.at.as_ref().map(|at| &at.file),
        "line": held.at.as_ref().map(|at| at.line),
    })
}
