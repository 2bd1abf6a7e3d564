//! Files that still are templates: `{{ name }}` and `{% if %}` of Jinja and its like.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_until};
use nom::combinator::recognize;
use nom::{IResult, Parser};

use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// Whether the `{` at this place, where nginx expects none, is part of a template's mark.
pub(super) fn is_placeholder(text: &str, at: usize) -> bool {
    let second = at.checked_sub(1).and_then(|before| text.get(before..));
    second.is_some_and(|text| text.starts_with("{{"))
        || text.get(at..).is_some_and(|text| mark(text).is_ok())
}

fn mark(input: &str) -> IResult<&str, &str> {
    recognize(alt((
        (tag("{{"), take_until("}}"), tag("}}")),
        (tag("{%"), take_until("%}"), tag("%}")),
        (tag("{#"), take_until("#}"), tag("#}")),
    )))
    .parse(input)
}

/// The text with every mark blotted out, byte for byte: values by `x`, the rest by blanks.
pub(super) fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        masked.push_str(before);
        if let Ok((after, mark)) = mark(from) {
            let blot = if mark.starts_with("{{") { 'x' } else { ' ' };
            let blotted = |byte| if byte == b'\n' { '\n' } else { blot };
            masked.extend(mark.bytes().map(blotted));
            rest = after;
        } else {
            masked.push('{');
            rest = from.get(1..).unwrap_or("");
        }
    }
    masked + rest
}

/// What nginx says of the first of them, and what it means.
pub(super) fn fault(text: &str, span: Span) -> Diagnostic {
    let start = (span.start as usize).saturating_sub(1);
    let mark = [start, start + 1].iter().find_map(|&at| mark(text.get(at..)?).ok());
    let shown = mark.map_or("{{ … }}", |(_, mark)| mark).replace('\n', " ");
    Diagnostic::emerg("unexpected \"{\"")
        .at(span)
        .hint(format!("this file is a template: `{shown}` must be filled in first"))
}
