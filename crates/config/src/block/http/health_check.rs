//! Reads a `match` block, and judges what `health_check` says of others.

use std::cell::RefCell;

use super::Http;
use crate::block::location::Location;
use crate::diagnostic::Diagnostic;
use crate::directive::{Cx, Fault};
use crate::http::health_check::Kind;
use crate::http::health_check::expected::Expected;
use crate::http::pass::{Destination, Protocol};
use crate::syntax::{End, Statement};

/// Reads a `match` block.
pub(super) fn read(
    known: &[Expected],
    statement: &Statement,
    body: &[Statement],
    cx: &mut Cx<'_>,
) -> Result<Expected, Fault> {
    let name = statement.args.first().map(|word| word.text.clone()).unwrap_or_default();
    if known.iter().any(|known| known.name == name) {
        return Err(Fault::sentence(format!("duplicate match \"{name}\"")));
    }
    let mut expected = Expected { name, ..Expected::default() };
    for statement in body {
        let read = if matches!(statement.end, End::Block { .. }) {
            Err(Fault::sentence("unexpected \"{\"").at(statement.name.span))
        } else {
            expected.line(statement, cx)
        };
        if let Err(fault) = read {
            crate::directive::report(&fault, statement, cx);
        }
    }
    Ok(expected)
}

/// Refuses checks by blocks that are not there, and those that fit no upstream.
pub(super) fn check(http: &Http, cx: &mut Cx<'_>) {
    let faults = RefCell::new(Vec::new());
    for server in &http.servers {
        server.location.any(&|location| {
            faults.borrow_mut().extend(faults_of(location, &http.matches));
            false
        });
    }
    // An `if` holds the checks of the location around it, too.
    let mut told: Vec<String> = Vec::new();
    for fault in faults.into_inner() {
        if !told.contains(&fault.message) {
            told.push(fault.message.clone());
            cx.diagnostics.push(fault);
        }
    }
}

fn faults_of(location: &Location, matches: &[Expected]) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let pass = location.pass.to.as_ref();
    for check in &location.health_check.checks {
        if let Some(word) = &check.expected
            && !matches.iter().any(|known| known.name == word.text)
        {
            let text = format!("match \"{}\" is not found", word.text);
            faults.push(Diagnostic::emerg(text).at(word.span));
        }
        let is_grpc = pass.is_some_and(|pass| pass.protocol == Protocol::Grpc);
        if matches!(check.kind, Kind::Grpc { .. }) && !is_grpc {
            let text = "\"health_check\" with \"type=grpc\" requires \"grpc_pass\"";
            faults.push(Diagnostic::emerg(text).hint("say it in the location of the grpc_pass"));
        }
    }
    let told = |pass: &crate::http::pass::Pass| matches!(pass.to, Destination::Group { .. });
    if !location.health_check.checks.is_empty() && !pass.is_some_and(told) {
        let text = "\"health_check\" has no effect: its location names no group of servers";
        let hint = "it stands beside a proxy_pass, or another *_pass, without variables";
        faults.push(Diagnostic::warn(text).hint(hint));
    }
    faults
}
