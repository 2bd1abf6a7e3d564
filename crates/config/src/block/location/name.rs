//! What stands behind `location`: which URIs belong to it.

use bytes::Bytes;

use crate::directive::{Cx, Fault};
use crate::syntax::Word;
use crate::value::pattern::Pattern;

/// Which URIs belong to a location.
#[derive(Clone, Debug, Default)]
pub enum LocationName {
    /// None by name: the level of http, of a server, of `if` or of `limit_except`.
    #[default]
    None,
    /// `= /x`: this one alone.
    Exact(Bytes),
    /// `/x`: those that begin with it.
    Prefix {
        /// What they begin with.
        prefix: Bytes,
        /// `^~`: regular expressions are not tried.
        no_regex: bool,
    },
    /// `~ x`, `~* x`: those that match.
    Regex(Pattern),
    /// `@x`: none; it is named by `error_page`, `try_files` and the like.
    Named(String),
}

impl LocationName {
    /// nginx: `ngx_http_core_location`.
    pub(super) fn parse(args: &[Word], cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let (modifier, word, text) = match args {
            [modifier, name] => (modifier.text.as_str(), name, name.text.as_str()),
            [name] => {
                let (modifier, text) = glued(&name.text);
                (modifier, name, text)
            }
            _ => return Err(Fault::phrase("invalid number of arguments")),
        };
        let uri = Bytes::copy_from_slice(text.as_bytes());
        match modifier {
            "=" => Ok(Self::Exact(uri)),
            "^~" => Ok(Self::Prefix { prefix: uri, no_regex: true }),
            "~" | "~*" => Ok(Self::Regex(Pattern::compile(text, modifier == "~*", word, cx)?)),
            "" if text.starts_with('@') => Ok(Self::Named(text.to_owned())),
            "" => Ok(Self::Prefix { prefix: uri, no_regex: false }),
            other => Err(Fault::sentence(format!("invalid location modifier \"{other}\""))
                .at(args.first().map(|word| word.span).unwrap_or_default())
                .hint("one of: = ^~ ~ ~*")),
        }
    }

    /// As written, without its modifier.
    pub fn text(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Exact(uri) | Self::Prefix { prefix: uri, .. } => {
                String::from_utf8_lossy(uri).into_owned()
            }
            Self::Regex(pattern) => pattern.regex.to_string(),
            Self::Named(name) => name.clone(),
        }
    }

    pub(super) fn literal(&self) -> Option<&[u8]> {
        match self {
            Self::Exact(uri) | Self::Prefix { prefix: uri, .. } => Some(uri),
            _ => None,
        }
    }

    /// What no other location beside it may be called; nothing for expressions.
    pub(super) fn unique(&self) -> Option<UniqueName> {
        match self {
            Self::Exact(uri) => Some((b'=', uri.clone())),
            Self::Prefix { prefix, .. } => Some((b'/', prefix.clone())),
            Self::Named(name) => Some((b'@', Bytes::copy_from_slice(name.as_bytes()))),
            Self::None | Self::Regex(_) => None,
        }
    }
}

/// The kind of a name, and the name.
pub(super) type UniqueName = (u8, Bytes);

/// A modifier written without a space behind it: `=/x`, `~\.php$`.
fn glued(text: &str) -> (&str, &str) {
    for modifier in ["=", "^~", "~*", "~"] {
        if let Some(rest) = text.strip_prefix(modifier) {
            return (modifier, rest);
        }
    }
    ("", text)
}
