//! `auth_request`: access decided by a request of our own.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::names::Definition;
use crate::value::template::Template;
use crate::variable::Slot;

/// Access decided by a request of our own.
#[derive(Clone, Debug, Directives)]
pub struct AuthRequest {
    /// The URI whose answer decides: 2xx lets in, 401 and 403 refuse; or `off`.
    #[directive("auth_request", parse = uri, args(1))]
    pub uri: Option<String>,
    /// A variable that is taken from the answer.
    #[directive("auth_request_set", repeat, parse = Assignment::parse, args(2))]
    pub set: Vec<Assignment>,
}

/// One `auth_request_set`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The variable.
    pub variable: Slot,
    /// Its value.
    pub value: Template,
}

impl Assignment {
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        let Some(name) = word.text.strip_prefix('$') else {
            let text = format!("invalid variable name \"{}\"", word.text);
            return Err(Fault::sentence(text).at(word.span));
        };
        let variable = cx.names.define(word, name, Definition::Captured)?;
        Ok(Self { variable, value: Template::compile(args.at(1), cx)? })
    }
}

fn uri(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Option<String>, Fault> {
    let text = &args.first().text;
    Ok((text != "off").then(|| text.clone()))
}
