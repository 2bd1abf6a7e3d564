//! `proxy_*` directives that no other protocol has.

use bytes::Bytes;
use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::syntax::Word;
use crate::value::choice::choice;
use crate::value::pattern::Pattern;
use crate::value::template::Template;

/// How a request is forwarded over HTTP.
#[derive(Clone, Debug, Directives)]
pub struct Proxy {
    /// Sets, changes or (with an empty value) removes a field of the forwarded request.
    #[directive("proxy_set_header", repeat, parse = Field::parse, args(2))]
    pub set_header: Vec<Field>,
    /// The body of the forwarded request.
    #[directive("proxy_set_body")]
    pub set_body: Option<Template>,
    /// The method of the forwarded request.
    #[directive("proxy_method")]
    pub method: Option<Template>,
    /// The version of HTTP that is spoken.
    #[directive("proxy_http_version", default = "1.1")]
    pub http_version: ProxyVersion,
    /// How `Location` and `Refresh` of an answer are changed.
    #[directive("proxy_redirect", repeat, parse = Redirect::parse, args(1, 2))]
    pub redirect: Vec<Redirect>,
    /// How the domain of cookies is changed.
    #[directive("proxy_cookie_domain", repeat, parse = CookieRewrite::domain, args(1, 2))]
    pub cookie_domain: Vec<CookieRewrite>,
    /// How the path of cookies is changed.
    #[directive("proxy_cookie_path", repeat, parse = CookieRewrite::path, args(1, 2))]
    pub cookie_path: Vec<CookieRewrite>,
    /// How the flags of cookies are changed.
    #[directive("proxy_cookie_flags", repeat, parse = CookieFlags::parse, args(1, 4))]
    pub cookie_flags: Vec<CookieFlags>,
    /// Whether trailers of an answer are sent on.
    #[directive("proxy_pass_trailers", default = "off")]
    pub pass_trailers: bool,
    /// The largest size of the table of fields.
    #[directive("proxy_headers_hash_max_size", default = "512", ignored = "tables grow as needed")]
    pub headers_hash_max_size: u32,
    /// The size of a bucket of the table of fields.
    #[directive(
        "proxy_headers_hash_bucket_size",
        default = "64",
        ignored = "tables grow as needed"
    )]
    pub headers_hash_bucket_size: u32,
    /// How much room a socket must have before it is written to.
    #[directive("proxy_send_lowat", default = "0", args(1), ignored = "it has no effect on Linux")]
    pub send_lowat: crate::value::size::Size,
}

choice! {
    /// The version of HTTP that is spoken to an upstream.
    pub enum ProxyVersion {
        /// HTTP/1.0.
        Http10 = "1.0",
        /// HTTP/1.1.
        Http11 = "1.1",
        /// HTTP/2.
        Http2 = "2",
    }
}

/// One `proxy_set_header`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The field's name.
    pub name: Bytes,
    /// Its value; where it comes out empty, the field is not sent.
    pub value: Template,
}

impl Field {
    pub(crate) fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let name = Bytes::copy_from_slice(args.first().text.as_bytes());
        Ok(Self { name, value: Template::compile(args.at(1), cx)? })
    }
}

/// One `proxy_redirect`.
#[derive(Clone, Debug)]
pub enum Redirect {
    /// `off`.
    Off,
    /// `default`: the upstream's address and URI become the location's name.
    Default,
    /// What begins with the first becomes the second.
    Prefix(Template, Template),
    /// What matches becomes the template.
    Regex(Pattern, Template),
}

impl Redirect {
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        if args.words.len() == 1 {
            return match word.text.as_str() {
                "off" => Ok(Self::Off),
                "default" => Ok(Self::Default),
                _ => Err(Fault::invalid_parameter(word).hint("off, default, or what becomes what")),
            };
        }
        let to = Template::compile(args.at(1), cx)?;
        Ok(match regex(word, cx)? {
            Some(pattern) => Self::Regex(pattern, to),
            None => Self::Prefix(Template::compile(word, cx)?, to),
        })
    }
}

/// `~expression` or `~*expression`.
fn regex(word: &Word, cx: &mut Cx<'_>) -> Result<Option<Pattern>, Fault> {
    let Some(text) = word.text.strip_prefix('~') else { return Ok(None) };
    let (text, caseless) = match text.strip_prefix('*') {
        Some(text) => (text, true),
        None => (text, false),
    };
    Pattern::compile(text, caseless, word, cx).map(Some)
}

/// One `proxy_cookie_domain` or `proxy_cookie_path`.
#[derive(Clone, Debug)]
pub enum CookieRewrite {
    /// `off`.
    Off,
    /// The first (a whole domain without its dot, or the beginning of a path) becomes the second.
    Text(Template, Template),
    /// What matches becomes the template.
    Regex(Pattern, Template),
}

impl CookieRewrite {
    fn domain(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        if let Some(text) = word.text.strip_prefix('.') {
            let bare = Word { text: text.to_owned(), span: word.span, quoted: word.quoted };
            return Self::parse(args, &bare, cx);
        }
        Self::parse(args, word, cx)
    }

    fn path(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        Self::parse(args, args.first(), cx)
    }

    fn parse(args: &Arguments<'_>, word: &Word, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        if args.words.len() == 1 {
            return match word.text.as_str() {
                "off" => Ok(Self::Off),
                _ => Err(Fault::invalid_parameter(word).hint("off, or what becomes what")),
            };
        }
        let to = Template::compile(args.at(1), cx)?;
        let caseless = word.text.strip_prefix('~');
        Ok(match (caseless, args.name.text.as_str()) {
            (Some(text), "proxy_cookie_domain") => {
                let text = text.strip_prefix('*').unwrap_or(text);
                Self::Regex(Pattern::compile(text, true, word, cx)?, to)
            }
            (Some(_), _) => match regex(word, cx)? {
                Some(pattern) => Self::Regex(pattern, to),
                None => Self::Off,
            },
            (None, _) => Self::Text(Template::compile(word, cx)?, to),
        })
    }
}

/// One `proxy_cookie_flags`.
#[derive(Clone, Debug)]
pub struct CookieFlags {
    /// The cookie; `None` is `off`.
    pub cookie: Option<CookieName>,
    /// `secure` and so on, in order.
    pub flags: Vec<CookieWord>,
}

/// A word that says a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CookieWord {
    /// A flag.
    Flag(CookieFlag),
    /// What variables say; a word that is no flag then is passed over.
    Variable(Template),
}

/// Which cookie is meant.
#[derive(Clone, Debug)]
pub enum CookieName {
    /// The one of this name.
    Text(Template),
    /// Those whose names match.
    Regex(Pattern),
}

choice! {
    /// A flag of a cookie, set or taken away.
    pub enum CookieFlag {
        /// `Secure`.
        Secure = "secure",
        /// No `Secure`.
        NoSecure = "nosecure",
        /// `HttpOnly`.
        HttpOnly = "httponly",
        /// No `HttpOnly`.
        NoHttpOnly = "nohttponly",
        /// `SameSite=Strict`.
        SameSiteStrict = "samesite=strict",
        /// `SameSite=Lax`.
        SameSiteLax = "samesite=lax",
        /// `SameSite=None`.
        SameSiteNone = "samesite=none",
        /// No `SameSite`.
        NoSameSite = "nosamesite",
    }
}

impl CookieFlags {
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        if args.words.len() == 1 {
            return match word.text.as_str() {
                "off" => Ok(Self { cookie: None, flags: Vec::new() }),
                _ => Err(Fault::invalid_parameter(word).hint("off, or a cookie and its flags")),
            };
        }
        let mut flags = Vec::with_capacity(args.words.len());
        for word in args.from(1) {
            if word.text.contains('$') {
                flags.push(CookieWord::Variable(Template::compile(word, cx)?));
            } else if let Some(flag) = CookieFlag::of(&word.text.to_ascii_lowercase()) {
                flags.push(CookieWord::Flag(flag));
            } else {
                // nginx says so at each answer.
                let text = format!("invalid proxy_cookie_flags flag \"{}\"", word.text);
                let hint = format!("it is passed over; one of: {}", CookieFlag::WORDS.join(", "));
                cx.warn(text, word.span, hint);
            }
        }
        let cookie = match regex(word, cx)? {
            Some(pattern) => CookieName::Regex(pattern),
            None => CookieName::Text(Template::compile(word, cx)?),
        };
        Ok(Self { cookie: Some(cookie), flags })
    }
}
