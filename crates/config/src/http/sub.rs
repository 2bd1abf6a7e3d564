//! `sub_filter`: text that is replaced.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Arity, Cx, Fault};
use crate::http::types::MediaTypes;
use crate::value::Value;
use crate::value::template::Template;

/// Text that is replaced.
#[derive(Clone, Debug, Directives)]
pub struct Sub {
    /// A text, whose case does not matter, and what takes its place.
    #[directive("sub_filter", repeat)]
    pub pairs: Vec<SubFilter>,
    /// The types of answers that are searched, besides `text/html`; `*` is all.
    #[directive("sub_filter_types", default = "text/html", joins)]
    pub types: MediaTypes,
    /// Whether each text is replaced once.
    #[directive("sub_filter_once", default = "on")]
    pub once: bool,
    /// Whether `Last-Modified` and a weak `ETag` stay.
    #[directive("sub_filter_last_modified", default = "off")]
    pub last_modified: bool,
}

/// One `sub_filter`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubFilter {
    /// The text that is looked for.
    pub text: Template,
    /// What takes its place.
    pub replacement: Template,
}

impl Value for SubFilter {
    const ARITY: Arity = Arity::between(2, 2);

    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        if word.text.is_empty() {
            return Err(Fault::sentence("empty search pattern").at(word.span));
        }
        let text = Template::compile(word, cx)?;
        Ok(Self { text, replacement: Template::compile(args.at(1), cx)? })
    }
}
