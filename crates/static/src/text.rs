//! Stand-in for `Exchange::render`.

use bytes::Bytes;
use tidegate_config::value::template::{Part, Template};
use tidegate_config::variable::{Builtin, Variable};
use tidegate_http::exchange::Exchange;

pub(crate) fn render(ex: &mut Exchange<'_>, template: &Template) -> Bytes {
    let mut out = Vec::new();
    for part in &template.parts {
        match part {
            Part::Text(text) => out.extend_from_slice(text),
            Part::Variable(Variable::Builtin(Builtin::Uri)) => out.extend_from_slice(&ex.uri),
            Part::Variable(_) => {}
        }
    }
    out.into()
}
