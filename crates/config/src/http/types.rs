//! `types`, `default_type`: what a file is, by its extension.

use bytes::Bytes;
use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Arity, Cx, Fault, Join};
use crate::known::KnownMap;
use crate::value::Value;

/// What a file is whose extension says nothing.
#[derive(Clone, Debug, Directives)]
pub struct Types {
    /// The type of a file whose extension is not among `types`.
    #[directive("default_type", default = "text/plain")]
    pub default_type: DefaultType,
    /// The largest size of the table of types.
    #[directive(
        "types_hash_max_size",
        default = "1024",
        ignored = "the table of types grows as needed"
    )]
    pub hash_max_size: u32,
    /// The size of a bucket of the table of types.
    #[directive(
        "types_hash_bucket_size",
        default = "64",
        ignored = "the table of types grows as needed"
    )]
    pub hash_bucket_size: u32,
}

/// A type, as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DefaultType(pub Bytes);

impl Value for DefaultType {
    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        Ok(Self(Bytes::copy_from_slice(args.first().text.as_bytes())))
    }
}

/// A `types` block: type by extension, extensions in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeMap {
    /// Type by extension.
    pub by_extension: KnownMap<Bytes>,
}

impl TypeMap {
    /// The type of this extension, which is compared without case.
    pub fn get(&self, extension: &[u8]) -> Option<&Bytes> {
        if extension.iter().any(u8::is_ascii_uppercase) {
            return self.by_extension.get(extension.to_ascii_lowercase().as_slice());
        }
        self.by_extension.get(extension)
    }
}

/// A set of media types (nginx: `ngx_http_types_slot`); `text/html` is always in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaTypes {
    /// `*`: all of them.
    All,
    /// Just these, in lower case.
    These(Vec<String>),
}

impl MediaTypes {
    /// Whether this type, without parameters, is one of them.
    pub fn contains(&self, content_type: &[u8]) -> bool {
        match self {
            Self::All => true,
            Self::These(types) => {
                types.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(content_type))
            }
        }
    }
}

impl Join for MediaTypes {
    fn join(self, other: Self) -> Self {
        let (Self::These(mut types), Self::These(others)) = (self, other) else { return Self::All };
        types.extend(others);
        types.sort_unstable();
        types.dedup();
        Self::These(types)
    }
}

impl Value for MediaTypes {
    const ARITY: Arity = Arity::at_least(1);

    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let mut types = vec!["text/html".to_owned()];
        for word in args.words {
            let text = word.text.to_ascii_lowercase();
            if text == "*" {
                return Ok(Self::All);
            }
            if !types.contains(&text) {
                types.push(text);
            } else if word.span != crate::source::Span::NONE {
                let message = format!("duplicate MIME type \"{text}\"");
                cx.warn(message, word.span, "leave it away; text/html is always in the list");
            }
        }
        Ok(Self::These(types))
    }
}
