//! `root`, `alias`: where files lie.

use std::path::PathBuf;

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault, Twice};
use crate::syntax::Word;
use crate::value::template::Template;

/// Where files lie.
#[derive(Clone, Debug, Directives)]
pub struct Files {
    /// The folder that a URI, or what is behind the location's name, is looked up in.
    #[directive("root", parse = Root::root, args(1), default = "html", also(LocationIf))]
    #[directive("alias", parse = Root::alias, args(1), only(Location))]
    pub root: Root,
}

/// Whether clients may ask for it.
#[derive(Clone, Debug, Directives)]
pub struct Internal {
    /// Only internal redirects lead here; clients get 404.
    #[directive("internal", only(Location), own, parse = on, args(0))]
    pub enabled: bool,
}

fn on(_: &Arguments<'_>, _: &mut Cx<'_>) -> Result<bool, Fault> {
    Ok(true)
}

/// A folder, and how a URI gets there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The folder, absolute; with variables, absolute or under the prefix.
    pub path: Template,
    /// `alias`: it stands for the location's name rather than going before the whole URI.
    pub alias: bool,
    /// The length of the name that an alias stands for, in bytes; `None` where the location is a
    /// regular expression, for which it stands as a whole.
    pub replaces: Option<usize>,
    /// The prefix, for a path that a variable begins.
    pub prefix: PathBuf,
}

impl Twice for Root {
    fn twice(&self, args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<(), Fault> {
        let before = if self.alias { "alias" } else { "root" };
        if args.name.text == before {
            return Err(Fault::duplicate());
        }
        let words = format!("is duplicate, \"{before}\" directive was specified earlier");
        Err(Fault::phrase(words).hint(
            "`root` goes before the whole URI; `alias` takes the place of the location's name",
        ))
    }
}

impl Root {
    fn root(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        Self::new(word, word.text.trim_end_matches('/'), false, cx)
    }

    fn alias(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        Self::new(word, &word.text, true, cx)
    }

    fn new(word: &Word, text: &str, alias: bool, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        for name in ["$document_root", "${document_root}", "$realpath_root", "${realpath_root}"] {
            if text.contains(name) {
                let directive = if alias { "alias" } else { "root" };
                return Err(Fault::sentence(format!(
                    "the {name} variable cannot be used in the \"{directive}\" directive"
                ))
                .at(word.span));
            }
        }
        let absolute = if text.starts_with('$') {
            text.to_owned()
        } else {
            let path = cx.under_prefix(text);
            path.to_string_lossy().into_owned()
        };
        let path = Template::compile_text(&absolute, word, cx)?;
        Ok(Self { path, alias, replaces: None, prefix: cx.prefix.to_path_buf() })
    }
}
