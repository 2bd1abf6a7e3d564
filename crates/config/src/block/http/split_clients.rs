//! Reads a `split_clients` block.

use bytes::Bytes;

use crate::directive::{Cx, Fault};
use crate::http::split_clients::{Share, SplitClients};
use crate::names::Definition;
use crate::syntax::{End, Statement, Word};
use crate::value::template::Template;

/// All of 100 %, in hundredths of a percent.
const WHOLE: u32 = 10_000;

/// Reads a `split_clients` block (nginx: `ngx_conf_split_clients_block`).
pub(super) fn read(
    number: usize,
    statement: &Statement,
    body: &[Statement],
    cx: &mut Cx<'_>,
) -> Result<SplitClients, Fault> {
    let [source, target] = statement.args.as_slice() else {
        return Err(Fault::phrase("invalid number of arguments"));
    };
    let Some(name) = target.text.strip_prefix('$').filter(|name| !name.is_empty()) else {
        return Err(Fault::sentence(format!("invalid variable name \"{}\"", target.text))
            .at(target.span)
            .hint("a variable's name begins with `$`"));
    };
    let source = Template::compile(source, cx)?;
    let target = cx.names.define(target, name, Definition::SplitClients(number))?;
    let mut split = SplitClients { source, target, shares: Vec::new() };
    let (mut sum, mut below) = (0, 0);
    for statement in body {
        let share = match share(statement, cx) {
            Ok(share) => share,
            Err(fault) => {
                let fault =
                    if fault.span.is_some() { fault } else { fault.at(statement.name.span) };
                crate::directive::report(&fault, statement, cx);
                continue;
            }
        };
        // As in nginx, `*` makes it whole, whatever stands before.
        sum = share.0.map_or(WHOLE, |percent| sum + percent);
        if sum > WHOLE {
            return Err(Fault::sentence("percent total is greater than 100%")
                .at(statement.name.span)
                .hint("`*` stands for all that is left, and last"));
        }
        let bound = share.0.map(|percent| {
            below += u64::from(percent) * u64::from(u32::MAX) / u64::from(WHOLE);
            u32::try_from(below).unwrap_or(u32::MAX)
        });
        split.shares.push(Share { below: bound, value: share.1 });
    }
    Ok(split)
}

/// A share in hundredths of a percent, `None` for `*`, and its value.
fn share(statement: &Statement, cx: &mut Cx<'_>) -> Result<(Option<u32>, Bytes), Fault> {
    let key = &statement.name;
    if matches!(statement.end, End::Block { .. }) {
        return Err(Fault::sentence("unexpected \"{\"").at(key.span));
    }
    let [value, rest @ ..] = statement.args.as_slice() else {
        return Err(Fault::sentence("invalid number of the split_clients parameters")
            .hint("a share and its value: 50% blue;"));
    };
    if let Some(more) = rest.first() {
        let text = format!("\"{}\" is passed over", more.text);
        cx.warn(text, more.span, "a share has one value; is a `;` missing, or quotes?");
    }
    let value = Bytes::copy_from_slice(value.text.as_bytes());
    if key.text == "*" {
        return Ok((None, value));
    }
    let percent = percent(key).ok_or_else(|| {
        Fault::sentence(format!("invalid percent value \"{}\"", key.text))
            .at(key.span)
            .hint("a percentage with at most two places, such as 0.5%, or *")
    })?;
    Ok((Some(percent), value))
}

/// `12.5%` in hundredths (nginx: `ngx_atofp`).
fn percent(word: &Word) -> Option<u32> {
    let text = word.text.strip_suffix('%')?;
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if text.is_empty() || !digits(whole) || !digits(places) || places.len() > 2 {
        return None;
    }
    let number: u32 = format!("{whole}{places:0<2}").parse().ok()?;
    (number > 0 && number <= 1_000_000).then_some(number)
}
