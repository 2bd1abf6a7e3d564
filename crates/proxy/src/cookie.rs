//! `proxy_cookie_domain`, `proxy_cookie_path`, `proxy_cookie_flags`: an upstream's cookies become
//! ours.

use bytes::Bytes;
use tidegate_config::http::proxy::{
    CookieFlag, CookieFlags, CookieName, CookieRewrite, CookieWord, Proxy,
};

use crate::evaluate::Evaluate;

/// The new value of a `Set-Cookie`; `None` where no rule applies (nginx:
/// `ngx_http_proxy_rewrite_cookie`).
pub(crate) fn set_cookie(
    value: &Bytes,
    rules: &Proxy,
    request: &mut dyn Evaluate,
) -> Option<Bytes> {
    let untouched = rules.cookie_domain.is_empty()
        && rules.cookie_path.is_empty()
        && rules.cookie_flags.is_empty();
    if untouched {
        return None;
    }
    let mut attributes: Vec<Attribute> = split(value).collect();
    attributes.first()?.value.as_ref()?;
    let mut changed = false;
    for Attribute { key, value } in attributes.iter_mut().skip(1) {
        let Some(value) = value else { continue };
        let new = if key.eq_ignore_ascii_case(b"domain") {
            rewrite(value, &rules.cookie_domain, same_domain, request)
        } else if key.eq_ignore_ascii_case(b"path") {
            rewrite(value, &rules.cookie_path, beginning, request)
        } else {
            None
        };
        if let Some(new) = new {
            *value = new;
            changed = true;
        }
    }
    changed |= set_flags(&mut attributes, &rules.cookie_flags, request);
    changed.then(|| join(&attributes))
}

/// `key=value`, or `key` alone.
struct Attribute {
    key: Bytes,
    value: Option<Bytes>,
}

fn split(cookie: &Bytes) -> impl Iterator<Item = Attribute> {
    cookie.split(|&byte| byte == b';').map(|text| {
        let text = text.trim_ascii();
        let equals = text.iter().position(|&byte| byte == b'=');
        let key = text.get(..equals.unwrap_or(text.len())).unwrap_or_default();
        let value = equals.and_then(|at| text.get(at + 1..));
        Attribute { key: cookie.slice_ref(key), value: value.map(|value| cookie.slice_ref(value)) }
    })
}

fn join(attributes: &[Attribute]) -> Bytes {
    let mut out = Vec::new();
    for Attribute { key, value } in attributes {
        if !out.is_empty() {
            out.extend_from_slice(b"; ");
        }
        out.extend_from_slice(key);
        if let Some(value) = value {
            out.push(b'=');
            out.extend_from_slice(value);
        }
    }
    out.into()
}

/// Puts a replacement where `from` stands in `value`, if it does.
type Replace = fn(value: &[u8], from: &[u8], to: &[u8]) -> Option<Bytes>;

fn rewrite(
    value: &Bytes,
    rules: &[CookieRewrite],
    replace: Replace,
    request: &mut dyn Evaluate,
) -> Option<Bytes> {
    rules.iter().find_map(|rule| match rule {
        CookieRewrite::Off => None,
        CookieRewrite::Text(from, to) => {
            let from = request.render(from);
            // Asked first with nothing: the replacement may cost more than the comparison.
            replace(value, &from, b"")?;
            replace(value, &from, &request.render(to))
        }
        CookieRewrite::Regex(pattern, to) => {
            request.matches(pattern, value).then(|| request.render(to))
        }
    })
}

/// A domain is compared whole, without its leading dot, which stays, and without case.
fn same_domain(value: &[u8], from: &[u8], to: &[u8]) -> Option<Bytes> {
    let bare = value.strip_prefix(b".").unwrap_or(value);
    let dot = value.get(..value.len() - bare.len()).unwrap_or_default();
    let from = from.strip_prefix(b".").unwrap_or(from);
    bare.eq_ignore_ascii_case(from).then(|| [dot, to].concat().into())
}

fn beginning(value: &[u8], from: &[u8], to: &[u8]) -> Option<Bytes> {
    value.strip_prefix(from).map(|rest| [to, rest].concat().into())
}

/// Sets and takes away the flags of the first rule that names the cookie; says whether one does.
fn set_flags(
    attributes: &mut Vec<Attribute>,
    rules: &[CookieFlags],
    request: &mut dyn Evaluate,
) -> bool {
    let Some(name) = attributes.first().map(|attribute| attribute.key.clone()) else {
        return false;
    };
    let rule = rules.iter().find(|rule| match &rule.cookie {
        None => false,
        Some(CookieName::Text(text)) => request.render(text).eq_ignore_ascii_case(&name),
        Some(CookieName::Regex(pattern)) => request.matches(pattern, &name),
    });
    let Some(rule) = rule else { return false };
    for flag in &rule.flags {
        let flag = match flag {
            CookieWord::Flag(flag) => Some(*flag),
            CookieWord::Variable(text) => {
                let word = request.render(text).to_ascii_lowercase();
                std::str::from_utf8(&word).ok().and_then(CookieFlag::of)
            }
        };
        let Some((key, value)) = flag.map(effect) else { continue };
        let place = attributes
            .iter()
            .skip(1)
            .position(|attribute| attribute.key.eq_ignore_ascii_case(key.as_bytes()));
        match (place.map(|place| place + 1), value) {
            (Some(place), Effect::Remove) => drop(attributes.remove(place)),
            (None, Effect::Remove) | (Some(_), Effect::Set(None)) => {}
            (Some(place), Effect::Set(value)) => {
                if let Some(attribute) = attributes.get_mut(place) {
                    attribute.value = value.map(Bytes::from_static);
                }
            }
            (None, Effect::Set(value)) => attributes.push(Attribute {
                key: Bytes::from_static(key.as_bytes()),
                value: value.map(Bytes::from_static),
            }),
        }
    }
    true
}

enum Effect {
    Set(Option<&'static [u8]>),
    Remove,
}

fn effect(flag: CookieFlag) -> (&'static str, Effect) {
    match flag {
        CookieFlag::Secure => ("Secure", Effect::Set(None)),
        CookieFlag::NoSecure => ("Secure", Effect::Remove),
        CookieFlag::HttpOnly => ("HttpOnly", Effect::Set(None)),
        CookieFlag::NoHttpOnly => ("HttpOnly", Effect::Remove),
        CookieFlag::SameSiteStrict => ("SameSite", Effect::Set(Some(b"Strict"))),
        CookieFlag::SameSiteLax => ("SameSite", Effect::Set(Some(b"Lax"))),
        CookieFlag::SameSiteNone => ("SameSite", Effect::Set(Some(b"None"))),
        CookieFlag::NoSameSite => ("SameSite", Effect::Remove),
    }
}
