//! `mirror`: a copy of every request for somebody else.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::value::Value;

/// A copy of every request for somebody else.
#[derive(Clone, Debug, Directives)]
pub struct Mirror {
    /// The URI that a copy of the request goes to, whose answer nobody sees; `off` is none.
    #[directive("mirror", repeat)]
    pub uris: Vec<MirrorUri>,
    /// Whether the copies have the body, too; then it is read before the request is answered.
    #[directive("mirror_request_body", default = "on")]
    pub body: bool,
}

/// One `mirror`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MirrorUri {
    /// `off`
    Off,
    /// A URI.
    Uri(String),
}

impl Value for MirrorUri {
    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let text = &args.first().text;
        Ok(if text == "off" { Self::Off } else { Self::Uri(text.clone()) })
    }
}
