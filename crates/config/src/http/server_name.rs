//! `server_name`: the names a server answers for.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Arity, Cx, Fault};
use crate::syntax::Word;
use crate::value::Value;
use crate::value::pattern::Pattern;

/// The names a server answers for.
#[derive(Clone, Debug, Directives)]
pub struct ServerName {
    /// The names: exact, `*.example.com`, `www.example.*`, `.example.com`, `~regex`, `""`.
    #[directive("server_name", only(Server), own, repeat)]
    pub names: Vec<ServerNames>,
}

/// The sizes of the tables of names.
#[derive(Clone, Debug, Directives)]
pub struct ServerNamesHash {
    /// The largest size of the table of names.
    #[directive(
        "server_names_hash_max_size",
        default = "512",
        only(Http),
        ignored = "tables grow as needed"
    )]
    pub max_size: u32,
    /// The size of a bucket of the table of names.
    #[directive(
        "server_names_hash_bucket_size",
        default = "64",
        only(Http),
        ignored = "tables grow as needed"
    )]
    pub bucket_size: u32,
}

/// The names of one `server_name`.
#[derive(Clone, Debug)]
pub struct ServerNames(pub Vec<Name>);

/// One name.
#[derive(Clone, Debug)]
pub struct Name {
    /// As written, in lower case.
    pub text: String,
    /// What it matches.
    pub kind: NameKind,
    /// Where it is said.
    pub span: crate::source::Span,
}

/// What a name matches.
#[derive(Clone, Debug)]
pub enum NameKind {
    /// This host alone.
    Exact(String),
    /// `*.example.com`: what ends with this (`.example.com`) and is longer.
    Head(String),
    /// `.example.com`: that host, and what ends with `.example.com`.
    HeadAndExact(String),
    /// `www.example.*`: what begins with this (`www.example.`) and is longer.
    Tail(String),
    /// `~…`: what matches.
    Regex(Pattern),
    /// Another `*`: no host. nginx refuses it where several servers share an address.
    Nothing,
}

/// Where a `*` may stand.
pub(crate) const WILDCARD: &str =
    "a `*` stands alone before the first dot or after the last: *.example.com, www.example.*";

impl Value for ServerNames {
    const ARITY: Arity = Arity::at_least(1);

    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        args.words.iter().map(|word| Name::parse(word, cx)).collect::<Result<_, _>>().map(Self)
    }
}

impl Name {
    fn parse(word: &Word, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let lower = word.text.to_ascii_lowercase();
        let invalid = || {
            Fault::sentence(format!("server name \"{}\" is invalid", word.text))
                .at(word.span)
                .hint(WILDCARD)
        };
        if word.text.contains('/') && !word.text.starts_with('~') {
            let text = format!("server name \"{}\" has suspicious symbols", word.text);
            cx.warn(text, word.span, "a name is a host alone, without scheme, port and path");
        }
        let kind = if let Some(pattern) = word.text.strip_prefix('~') {
            if pattern.is_empty() {
                return Err(Fault::sentence(format!(
                    "empty regex in server name \"{}\"",
                    word.text
                ))
                .at(word.span));
            }
            // nginx matches without case where the expression has upper-case letters.
            let caseless = pattern.bytes().any(|byte| byte.is_ascii_uppercase());
            NameKind::Regex(Pattern::compile(pattern, caseless, word, cx)?)
        } else if let Some(rest) = lower.strip_prefix("*.") {
            if rest.is_empty() || rest.contains('*') {
                return Err(invalid());
            }
            NameKind::Head(format!(".{rest}"))
        } else if lower.starts_with('*') {
            return Err(invalid());
        } else if let Some(rest) = lower.strip_prefix('.') {
            if rest.is_empty() || rest.contains('*') {
                return Err(invalid());
            }
            NameKind::HeadAndExact(format!(".{rest}"))
        } else if let Some(rest) = lower.strip_suffix(".*") {
            if rest.is_empty() || rest.contains('*') {
                return Err(invalid());
            }
            NameKind::Tail(format!("{rest}."))
        } else if lower.contains('*') {
            let text = format!("server name \"{}\" matches no host", word.text);
            cx.warn(text, word.span, WILDCARD);
            NameKind::Nothing
        } else {
            NameKind::Exact(lower.strip_suffix('.').unwrap_or(&lower).to_owned())
        };
        Ok(Self { text: lower, kind, span: word.span })
    }
}
