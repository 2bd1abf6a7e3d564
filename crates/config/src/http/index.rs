//! `index`: what answers for a folder.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Arity, Cx, Fault};
use crate::value::Value;
use crate::value::template::Template;

/// What answers for a folder.
#[derive(Clone, Debug, Directives)]
pub struct Index {
    /// The files that are tried in order; one that starts with a slash is a URI and needs not exist.
    #[directive("index", repeat, default = "index.html")]
    pub files: Vec<IndexFiles>,
}

/// The files of one `index`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexFiles(pub Vec<Template>);

impl Value for IndexFiles {
    const ARITY: Arity = Arity::at_least(1);

    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let mut files = Vec::with_capacity(args.words.len());
        for word in args.words {
            if word.text.is_empty() {
                return Err(
                    Fault::sentence("index \"\" in \"index\" directive is invalid").at(word.span)
                );
            }
            let more = files.len() + 1 < args.words.len();
            if more && word.text.starts_with('/') {
                let text = "only the last index in \"index\" directive should be absolute";
                cx.warn(
                    text,
                    word.span,
                    "a URI ends the search: what stands behind is never tried",
                );
            }
            files.push(Template::compile(word, cx)?);
        }
        Ok(Self(files))
    }
}
