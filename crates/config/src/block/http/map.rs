//! Reads a `map` block.

use crate::directive::{Cx, Fault};
use crate::http::map::Map;
use crate::names::Definition;
use crate::syntax::{End, Statement, Word};
use crate::value::hosts::{HostFault, Hosts};
use crate::value::pattern::{Pattern, Patterns};
use crate::value::template::Template;

/// Reads a `map` block (nginx: `ngx_http_map_block`).
pub(super) fn read(
    number: usize,
    statement: &Statement,
    body: &[Statement],
    cx: &mut Cx<'_>,
) -> Result<Map, Fault> {
    let [source, target] = statement.args.as_slice() else {
        return Err(Fault::phrase("invalid number of arguments"));
    };
    let Some(name) = target.text.strip_prefix('$').filter(|name| !name.is_empty()) else {
        return Err(Fault::sentence(format!("invalid variable name \"{}\"", target.text))
            .at(target.span)
            .hint("a variable's name begins with `$`"));
    };
    let mut map = Map {
        source: Template::compile(source, cx)?,
        target: cx.names.define(target, name, Definition::Map(number))?,
        keys: Hosts::default(),
        regexes: Patterns::default(),
        default: Template::default(),
        hostnames: false,
        volatile: false,
    };
    let mut default = false;
    for statement in body {
        if let Err(fault) = entry(&mut map, &mut default, statement, cx) {
            let fault = if fault.span.is_some() { fault } else { fault.at(statement.name.span) };
            crate::directive::report(&fault, statement, cx);
        }
    }
    map.regexes.complete(&mut cx.names.compiled);
    Ok(map)
}

/// One line; `default` is whether there was one of that name.
fn entry(
    map: &mut Map,
    default: &mut bool,
    statement: &Statement,
    cx: &mut Cx<'_>,
) -> Result<(), Fault> {
    let key = &statement.name;
    if matches!(statement.end, End::Block { .. }) {
        return Err(Fault::sentence("unexpected \"{\"").at(key.span));
    }
    match (key.text.as_str(), statement.args.as_slice()) {
        ("hostnames", []) => map.hostnames = true,
        ("volatile", []) => map.volatile = true,
        ("default", [_]) if std::mem::replace(default, true) => {
            return Err(Fault::sentence("duplicate default map parameter").at(key.span));
        }
        ("default", [value]) => map.default = Template::compile(value, cx)?,
        (_, [value]) => return pair(map, key, value, cx),
        _ => return Err(Fault::sentence("invalid number of the map parameters")),
    }
    Ok(())
}

fn pair(map: &mut Map, key: &Word, value: &Word, cx: &mut Cx<'_>) -> Result<(), Fault> {
    let value = Template::compile(value, cx)?;
    if let Some(pattern) = key.text.strip_prefix('~') {
        let (pattern, caseless) = match pattern.strip_prefix('*') {
            Some(pattern) => (pattern, true),
            None => (pattern, false),
        };
        map.regexes.push(Pattern::compile(pattern, caseless, key, cx)?, value);
        return Ok(());
    }
    let text = key.text.strip_prefix('\\').unwrap_or(&key.text);
    let added = if map.hostnames {
        map.keys.insert(text, value)
    } else {
        map.keys.insert_exact(text, value)
    };
    added.map_err(|fault| match fault {
        HostFault::Conflict => {
            Fault::sentence(format!("conflicting parameter \"{}\"", text.to_ascii_lowercase()))
                .at(key.span)
                .hint("keys are compared without case")
        }
        HostFault::Invalid => {
            Fault::sentence(format!("invalid hostname or wildcard \"{text}\"")).at(key.span)
        }
    })
}
