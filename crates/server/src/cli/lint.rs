//! `tidegate lint`: what is legal and hardly meant, for people and for CI.
//!
//! It ends with 0 where nothing was found, with 1 where something was, with 2 where the
//! configuration cannot be used at all.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};
use tidegate_config::diagnostic::{Diagnostic, Severity};
use tidegate_config::source::Sources;
use tidegate_config::{Loaded, lint};

use super::command::{Asked, FAILED, Format};
use super::output;

/// Looks at a configuration, named by `-c` or as it is, with every rule, and tells.
pub(super) fn run(asked: &Asked) -> Result<ExitCode> {
    let (path, loaded) = asked.load(asked.words.first().map(Path::new));
    let all = loaded.diagnostics.len();
    let faults = loaded.diagnostics.iter().filter(|found| found.severity == Severity::Emerg);
    let faults = faults.count();
    match asked.format {
        Format::Json => output::print(&json(&loaded))?,
        Format::Text => {
            let (path, findings) = (path.display(), all - faults);
            output::print(&format!(
                "{}{path}: {faults} faults, {findings} findings by {} rules\n",
                loaded.messages(),
                lint::rules().len()
            ))?;
        }
    }
    Ok(ExitCode::from(match all - faults {
        _ if loaded.config.is_none() => FAILED,
        0 => 0,
        _ => 1,
    }))
}

fn json(loaded: &Loaded) -> String {
    let found = loaded.diagnostics.iter().map(|found| one(found, &loaded.sources));
    let found: Vec<Value> = found.collect();
    let all = json!({ "accepted": loaded.config.is_some(), "findings": found });
    format!("{all:#}\n")
}

/// One finding for tools. Lines and columns count from 1.
fn one(found: &Diagnostic, sources: &Sources) -> Value {
    let place = found.span.and_then(|span| sources.position(span));
    let rule = found.rule.and_then(|name| lint::rules().iter().find(|rule| rule.name == name));
    json!({
        "severity": found.severity.word(),
        "rule": found.rule,
        "message": found.message,
        "file": place.map(|(path, _, _)| path.display().to_string()),
        "line": place.map(|(_, line, _)| line),
        "column": place.map(|(_, _, column)| column),
        "hints": found.hints,
        "danger": rule.map(|rule| rule.danger),
    })
}
