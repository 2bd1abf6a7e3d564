//! `charset`: what `Content-Type` says of it.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::http::types::MediaTypes;
use crate::value::template::Template;

/// What `Content-Type` says of the charset.
#[derive(Clone, Debug, Directives)]
pub struct Charset {
    /// The charset that is added to `Content-Type`, or `off`.
    #[directive("charset", also(LocationIf), parse = charset, args(1),
        differs = "the name is added; nothing is converted")]
    pub charset: Option<Template>,
    /// The types that it is added to, besides `text/html`.
    #[directive(
        "charset_types",
        default = "text/html text/xml text/plain text/vnd.wap.wml application/javascript application/rss+xml",
        joins
    )]
    pub types: MediaTypes,
    /// The charset that a file is in.
    #[directive("source_charset", also(LocationIf), parse = charset, args(1),
        ignored = "nothing is converted")]
    pub source: Option<Template>,
    /// Replaces the charset that an upstream names.
    #[directive(
        "override_charset",
        also(LocationIf),
        default = "off",
        ignored = "nothing is converted"
    )]
    pub override_upstream: bool,
}

fn charset(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Option<Template>, Fault> {
    if args.first().text == "off" {
        return Ok(None);
    }
    Template::compile(args.first(), cx).map(Some)
}
