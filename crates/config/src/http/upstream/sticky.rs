//! `sticky`: a client is kept with the member that served it first.

use std::time::Duration;

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Arity, Cx, Fault};
use crate::names::zone::{SMALLEST, ZoneUse};
use crate::syntax::Word;
use crate::value::size::Size;
use crate::value::template::Template;
use crate::value::{Value, time};

/// A client is kept with the member that served it first.
#[derive(Clone, Debug, Directives)]
pub struct Stickiness {
    /// How the member of a client is known again: by a cookie that is set, by a route that a request
    /// names, or by what members say of sessions.
    #[directive("sticky", only(Upstream), own)]
    pub sticky: Option<Sticky>,
}

/// How the member of a client is known again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sticky {
    /// By a cookie that is set.
    Cookie(Box<Cookie>),
    /// By the first of these that has a value, which is the `route=` of a member.
    Route(Vec<Template>),
    /// By sessions that members begin.
    Learn(Learn),
}

/// A cookie that names a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// What the client has sent of it.
    pub sent: Template,
    /// `expires=`: how long it is kept; without it, for the session.
    pub expires: Option<Duration>,
    /// `domain=`
    pub domain: Option<Template>,
    /// `httponly`
    pub httponly: bool,
    /// `secure`
    pub secure: bool,
    /// `samesite=`
    pub samesite: Option<Template>,
    /// `path=`
    pub path: Option<Template>,
}

/// Sessions that members begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learn {
    /// `create=`: where an answer names a new session.
    pub create: Vec<Template>,
    /// `lookup=`: where a request names its session.
    pub lookup: Vec<Template>,
    /// How much memory sessions may take.
    pub size: Size,
    /// `timeout=`: how long a session is remembered that is not used.
    pub timeout: Duration,
}

/// How long `expires=max` is.
const MAX: Duration = Duration::from_hours(10 * 365 * 24);

impl Value for Sticky {
    const ARITY: Arity = Arity::at_least(2);

    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        match args.first().text.as_str() {
            "cookie" => cookie(args, cx),
            "route" => {
                let keys = args.from(1).iter().map(|word| variable(&word.text, word, cx));
                keys.collect::<Result<_, _>>().map(Self::Route)
            }
            "learn" => learn(args, cx),
            _ => Err(unknown(args.first()).hint("known: cookie, route, learn")),
        }
    }
}

fn unknown(word: &Word) -> Fault {
    Fault::sentence(format!("unknown parameter \"{}\"", word.text)).at(word.span)
}

fn wrong(what: &str, word: &Word) -> Fault {
    Fault::sentence(format!("\"sticky\" directive {what}")).at(word.span)
}

fn variable(text: &str, word: &Word, cx: &mut Cx<'_>) -> Result<Template, Fault> {
    if !text.starts_with('$') {
        return Err(Fault::sentence(format!("invalid variable name \"{text}\"")).at(word.span));
    }
    Template::compile_text(text, word, cx)
}

fn cookie(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Sticky, Fault> {
    let [_, name, rest @ ..] = args.words else { return Err(unknown(args.first())) };
    let sent = Template::compile_text(&format!("${{cookie_{}}}", name.text), name, cx)?;
    let mut cookie = Cookie {
        name: name.text.clone(),
        sent,
        expires: None,
        domain: None,
        httponly: false,
        secure: false,
        samesite: None,
        path: None,
    };
    let mut seen: Vec<&str> = Vec::new();
    for word in rest {
        let (key, value) = word.text.split_once('=').unwrap_or((&word.text, ""));
        if seen.contains(&key) {
            return Err(wrong(&format!("parameter \"{key}\" is duplicate"), word));
        }
        seen.push(key);
        let mut text = || Template::compile_text(value, word, cx).map(Some);
        match (key, word.text.contains('=')) {
            ("expires", true) if value == "max" => cookie.expires = Some(MAX),
            ("expires", true) => {
                let time = time::parse_seconds(value);
                let fault = || wrong("invalid \"expires\" parameter value", word);
                cookie.expires = Some(time.ok_or_else(fault)?);
            }
            ("domain", true) => cookie.domain = text()?,
            ("path", true) => cookie.path = text()?,
            ("samesite", true) => {
                if !value.contains('$') && !matches!(value, "strict" | "lax" | "none") {
                    return Err(wrong("invalid \"samesite\" parameter value", word));
                }
                cookie.samesite = text()?;
            }
            ("httponly", false) => cookie.httponly = true,
            ("secure", false) => cookie.secure = true,
            _ => return Err(unknown(word)),
        }
    }
    Ok(Sticky::Cookie(Box::new(cookie)))
}

fn learn(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Sticky, Fault> {
    let (mut create, mut lookup, mut size) = (Vec::new(), Vec::new(), None);
    let mut timeout = None;
    for word in args.from(1) {
        let (key, value) = word.text.split_once('=').unwrap_or((&word.text, ""));
        let mut key_of = |list: &mut Vec<Template>| {
            if !value.starts_with('$') {
                return Err(wrong(&format!("missing variable in the \"{key}\" parameter"), word));
            }
            list.push(variable(value, word, cx)?);
            Ok(())
        };
        match key {
            "create" => key_of(&mut create)?,
            "lookup" => key_of(&mut lookup)?,
            "zone" if size.is_some() => return Err(wrong("duplicate zone", word)),
            "zone" => size = Some(zone(value, word, cx)?),
            "timeout" if timeout.is_some() => return Err(wrong("duplicate timeout", word)),
            "timeout" => {
                let time = time::parse_milliseconds(value);
                timeout = Some(time.ok_or_else(|| wrong("invalid timeout", word))?);
            }
            // Sessions are known as soon as the head of an answer is.
            "header" => {}
            _ => return Err(unknown(word)),
        }
    }
    let missing =
        |what: &str| wrong(&format!("\"{what}\" parameter is not specified"), args.first());
    match size {
        _ if create.is_empty() => Err(missing("create")),
        _ if lookup.is_empty() => Err(missing("lookup")),
        None => Err(missing("zone")),
        Some(size) => {
            let timeout = timeout.unwrap_or(Duration::from_mins(10));
            Ok(Sticky::Learn(Learn { create, lookup, size, timeout }))
        }
    }
}

/// The size of a zone (nginx: `ngx_http_upstream_sticky`).
fn zone(value: &str, word: &Word, cx: &mut Cx<'_>) -> Result<Size, Fault> {
    let (name, text) =
        value.split_once(':').ok_or_else(|| wrong("zone size is not specified", word))?;
    if name.is_empty() {
        return Err(wrong("zone name is not specified", word));
    }
    let size = Size::parse(text).ok_or_else(|| wrong("invalid zone size", word))?;
    if size.0 < SMALLEST {
        return Err(wrong("zone is too small", word).hint("32k is the least"));
    }
    cx.names.zones.define(ZoneUse::Learnt, name, size.0, word.span)?;
    Ok(size)
}
