//! `try_files`: the first that exists is served.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Arity, Cx, Fault};
use crate::value::Value;
use crate::value::template::Template;

/// The first that exists is served.
#[derive(Clone, Debug, Default, Directives)]
pub struct TryFiles {
    /// The files that are tried in order, a slash at the end meaning a folder; and what holds when
    /// none exists: a URI, `@name` or `=code`.
    #[directive("try_files", only(Server, Location), own)]
    pub files: Option<Tries>,
}

/// What is tried, and what holds when nothing exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tries {
    /// What is tried in order.
    pub tries: Vec<Try>,
    /// What holds when nothing exists.
    pub fallback: Fallback,
}

/// One thing that is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Try {
    /// The URI, without the slash that marks a folder.
    pub uri: Template,
    /// Whether it is to be a folder.
    pub folder: bool,
}

/// What holds when nothing exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// A URI, by an internal redirect.
    Uri(Template),
    /// A named location.
    Named(String),
    /// A status.
    Status(u16),
}

impl Value for Tries {
    const ARITY: Arity = Arity::at_least(2);

    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let Some((last, before)) = args.words.split_last() else {
            return Err(Fault::invalid_value(args.name));
        };
        let mut tries = Vec::with_capacity(before.len());
        for word in before {
            let (uri, folder) = match word.text.strip_suffix('/') {
                Some(uri) if !uri.is_empty() => (uri, true),
                _ => (word.text.as_str(), false),
            };
            tries.push(Try { uri: Template::compile_text(uri, word, cx)?, folder });
        }
        let fallback = if let Some(code) = last.text.strip_prefix('=') {
            let code = code.parse().ok().filter(|code| (200..=999).contains(code) || *code == 0);
            Fallback::Status(code.ok_or_else(|| {
                Fault::sentence(format!("invalid code \"{}\"", last.text)).at(last.span)
            })?)
        } else if last.text.starts_with('@') {
            Fallback::Named(last.text.clone())
        } else {
            Fallback::Uri(Template::compile(last, cx)?)
        };
        Ok(Self { tries, fallback })
    }
}
