//! One `rewrite`: what the new URI is made of.

use bytes::Bytes;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::rewrite::RewriteFlag;
use tidegate_config::value::pattern::Pattern;
use tidegate_config::value::template::{Part, Template};
use tidegate_config::variable::Variable;

use crate::exchange::{Captured, Exchange};
use crate::response::Response;
use crate::stop::Stop;
use crate::uri::escape::{Escape, escape, unescape_redirect};

/// What a `rewrite` says besides its expression.
pub(super) struct Rule<'a> {
    pub(super) to: &'a Template,
    pub(super) keep_args: bool,
    pub(super) flag: RewriteFlag,
}

/// Rewrites the URI where it matches; whether it did. A redirect to the client ends the request.
pub(super) fn apply(
    ex: &mut Exchange<'_>,
    pattern: &Pattern,
    rule: &Rule<'_>,
) -> Result<bool, Stop> {
    let uri = ex.uri.clone();
    let tells = ex.location.rewrite_log.enabled;
    if !ex.matches(pattern, &uri) {
        ex.captured = Captured::default();
        ex.judged()?;
        if tells {
            let uri = String::from_utf8_lossy(&uri);
            ex.log(Level::Notice, &format!("\"{}\" does not match \"{uri}\"", pattern.regex));
        }
        return Ok(false);
    }
    if tells {
        let uri = String::from_utf8_lossy(&uri);
        ex.log(Level::Notice, &format!("\"{}\" matches \"{uri}\"", pattern.regex));
    }
    let status = match rule.flag {
        RewriteFlag::Redirect => Some(302),
        RewriteFlag::Permanent => Some(301),
        _ => None,
    };
    let (path, args) = replacement(ex, rule.to, status.is_some());
    if let Some(status) = status {
        let separator = if args.is_some() { b'&' } else { b'?' };
        let to = [path, args.unwrap_or_default()].concat();
        let to = unescape_redirect(&to).into_owned();
        let to = if rule.keep_args { with_args(ex, to, separator) } else { to };
        return Err(redirect(ex, status, to));
    }
    ex.args = match (args, rule.keep_args) {
        (Some(args), keep) => {
            let args = args.get(1..).unwrap_or_default();
            Some(Bytes::from(if keep { with_args(ex, args.to_vec(), b'&') } else { args.to_vec() }))
        }
        (None, true) => ex.args.take(),
        (None, false) => ex.args.take().map(|_| Bytes::new()),
    };
    ex.uri = path.into();
    if tells {
        let (uri, args) = (String::from_utf8_lossy(&ex.uri), ex.args.clone().unwrap_or_default());
        let args = String::from_utf8_lossy(&args);
        ex.log(Level::Notice, &format!("rewritten data: \"{uri}\", args: \"{args}\""));
    }
    if ex.uri.is_empty() {
        ex.log(Level::Error, "the rewritten URI has a zero length");
        return Err(Stop::Status(500));
    }
    Ok(true)
}

/// The new path, and the query from its question mark on where the template has one. Groups within
/// a query or a redirect are encoded if the client's URI was.
fn replacement(ex: &mut Exchange<'_>, to: &Template, quote: bool) -> (Vec<u8>, Option<Vec<u8>>) {
    let quoted = memchr::memchr2(b'%', b'+', &ex.request.target).is_some();
    let (mut path, mut args) = (Vec::new(), None::<Vec<u8>>);
    for part in &to.parts {
        match part {
            Part::Text(text) => match (&mut args, memchr::memchr(b'?', text)) {
                (Some(args), _) => args.extend_from_slice(text),
                (None, Some(at)) => {
                    let (before, behind) = text.split_at(at);
                    path.extend_from_slice(before);
                    args = Some(behind.to_vec());
                }
                (None, None) => path.extend_from_slice(text),
            },
            Part::Variable(variable) => {
                let value = ex.value(variable).unwrap_or_default();
                let is_group = matches!(variable, Variable::Capture(_));
                let encode = is_group && quoted && (quote || args.is_some());
                let out = args.as_mut().unwrap_or(&mut path);
                if encode {
                    out.extend_from_slice(&escape(&value, Escape::Args));
                } else {
                    out.extend_from_slice(&value);
                }
            }
        }
    }
    (path, args)
}

fn redirect(ex: &Exchange<'_>, status: u16, to: Vec<u8>) -> Stop {
    if ex.location.rewrite_log.enabled {
        let to = String::from_utf8_lossy(&to);
        ex.log(Level::Notice, &format!("rewritten redirect: \"{to}\""));
    }
    let location = Some(Bytes::from(to));
    Stop::Special(Box::new(Response { location, ..Response::new(status) }))
}

/// Puts the request's query behind, where there is one.
fn with_args(ex: &Exchange<'_>, mut text: Vec<u8>, separator: u8) -> Vec<u8> {
    if let Some(args) = ex.args.as_ref().filter(|args| !args.is_empty()) {
        text.push(separator);
        text.extend_from_slice(args);
    }
    text
}
