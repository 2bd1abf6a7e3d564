//! `charset`: what `Content-Type` says of it, and from which it is converted.

mod recode;

use std::sync::Arc;

use tidegate_config_derive::Directives;

pub use recode::Recode;

use crate::directive::{Arguments, Cx, Fault};
use crate::http::types::MediaTypes;
use crate::value::template::Template;

/// What `Content-Type` says of the charset.
#[derive(Clone, Debug, Directives)]
pub struct Charset {
    /// The charset that is added to `Content-Type`, or `off`. What is in another, by
    /// `source_charset`, is converted.
    #[directive("charset", also(LocationIf), parse = charset, args(1))]
    pub charset: Option<Template>,
    /// The types that it is added to, besides `text/html`.
    #[directive(
        "charset_types",
        default = "text/html text/xml text/plain text/vnd.wap.wml application/javascript application/rss+xml",
        joins
    )]
    pub types: MediaTypes,
    /// The charset that an answer is in, where it does not say so itself.
    #[directive("source_charset", also(LocationIf), parse = charset, args(1))]
    pub source: Option<Template>,
    /// Converts also what an upstream names the charset of.
    #[directive("override_charset", also(LocationIf), default = "off")]
    pub override_upstream: bool,
}

/// A `charset_map` block: how one charset is converted into another, and back.
#[derive(Clone, Debug)]
pub struct CharsetMap {
    /// The name of the one.
    pub from: String,
    /// The name of the other.
    pub to: String,
    /// From the one to the other.
    pub forward: Arc<Recode>,
    /// And back.
    pub backward: Arc<Recode>,
}

impl CharsetMap {
    /// How one charset is converted into another, where one of the maps says so.
    pub fn between(maps: &[Self], from: &[u8], to: &[u8]) -> Option<Arc<Recode>> {
        let is = |name: &str, other: &[u8]| name.as_bytes().eq_ignore_ascii_case(other);
        maps.iter().find_map(|map| {
            if is(&map.from, from) && is(&map.to, to) {
                return Some(Arc::clone(&map.forward));
            }
            (is(&map.from, to) && is(&map.to, from)).then(|| Arc::clone(&map.backward))
        })
    }
}

impl Charset {
    /// The charsets that this converts from and to, where both are known beforehand and no map is
    /// between them.
    pub(crate) fn lacks_map(&self, maps: &[CharsetMap]) -> Option<(String, String)> {
        let name = |template: &Option<Template>| {
            let name = template.as_ref()?.constant()?;
            Some(String::from_utf8_lossy(name).into_owned())
        };
        let (from, to) = (name(&self.source)?, name(&self.charset)?);
        let known = from.eq_ignore_ascii_case(&to)
            || CharsetMap::between(maps, from.as_bytes(), to.as_bytes()).is_some();
        (!known).then_some((from, to))
    }
}

fn charset(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Option<Template>, Fault> {
    if args.first().text == "off" {
        return Ok(None);
    }
    let word = args.first();
    // nginx: a variable begins the word, or there is none.
    if word.text.starts_with('$') {
        return Template::compile(word, cx).map(Some);
    }
    Ok(Some(Template::text(word.text.clone())))
}
