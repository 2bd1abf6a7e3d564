//! `uwsgi_param` and its kin: what an application is told besides the request.

use bytes::Bytes;
use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::value::template::Template;

/// How a request is forwarded over uwsgi.
#[derive(Clone, Debug, Directives)]
pub struct Uwsgi {
    /// A variable of the application, and its value.
    #[directive("uwsgi_param", repeat, parse = Param::parse, args(2, 3))]
    pub params: Vec<Param>,
    /// The first byte of a packet.
    #[directive("uwsgi_modifier1", default = "0", range = 0..=255)]
    pub modifier1: u32,
    /// The last byte of a packet's head.
    #[directive("uwsgi_modifier2", default = "0", range = 0..=255)]
    pub modifier2: u32,
    /// Text that is sent between the variables and the body; a `$` in it is itself.
    #[directive("uwsgi_string", parse = verbatim, args(1))]
    pub string: Option<Template>,
}

/// nginx: `ngx_conf_set_str_slot`
#[allow(clippy::unnecessary_wraps)]
fn verbatim(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Option<Template>, Fault> {
    Ok(Some(Template::text(args.first().text.clone())))
}

/// One variable of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name.
    pub name: Bytes,
    /// The same as a packet of uwsgi has it, between its length and room for that of the value.
    pub packed: Bytes,
    /// Its value.
    pub value: Template,
    /// `if_not_empty`: it is not sent where its value comes out empty.
    pub if_not_empty: bool,
}

impl Param {
    /// A variable that is always sent.
    pub fn new(name: &[u8], value: Template) -> Self {
        // A name that is too long makes a packet too long as well.
        let length = (name.len() as u16).to_le_bytes();
        let packed = [&length[..], name, &[0, 0]].concat().into();
        Self { name: Bytes::copy_from_slice(name), packed, value, if_not_empty: false }
    }

    pub(crate) fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let if_not_empty = match args.words.get(2) {
            None => false,
            Some(word) if word.text == "if_not_empty" => true,
            Some(word) => {
                return Err(
                    Fault::invalid_parameter(word).hint("only `if_not_empty` may stand here")
                );
            }
        };
        let (name, value) = (args.first().text.as_bytes(), Template::compile(args.at(1), cx)?);
        Ok(Self { if_not_empty, ..Self::new(name, value) })
    }
}
