//! `proxy_redirect`: an upstream's own addresses in `Location` and `Refresh` become ours.

use bytes::Bytes;
use tidegate_config::http::proxy::Redirect;

use crate::evaluate::Evaluate;

/// What `default` says: a beginning that becomes another one. It is put together when an answer has
/// something to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Default<'c> {
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
    /// The upstream's name and port.
    pub(crate) host: &'c str,
    /// The URI of `proxy_pass`.
    pub(crate) uri: Option<&'c str>,
    /// The location's name.
    pub(crate) location: &'c [u8],
}

/// From `proxy_pass` and its location (nginx: `ngx_http_proxy_merge_loc_conf`).
impl Default<'_> {
    /// The upstream's address, and the URI of `proxy_pass` or a slash.
    fn from(&self) -> Vec<u8> {
        [self.scheme, "://", self.host, self.uri.unwrap_or("/")].concat().into_bytes()
    }

    /// The location's name, or a slash.
    fn to(&self) -> &[u8] {
        if self.uri.is_some() { self.location } else { b"/" }
    }
}

/// The new value of a `Location`; `None` where no rule applies (nginx:
/// `ngx_http_proxy_rewrite_redirect`).
pub(crate) fn location(
    value: &Bytes,
    rules: &[Redirect],
    default: Option<&Default<'_>>,
    request: &mut dyn Evaluate,
) -> Option<Bytes> {
    let default = || {
        let default = default?;
        value.strip_prefix(&default.from()[..]).map(|rest| [default.to(), rest].concat().into())
    };
    // Nothing said is `default`.
    if rules.is_empty() {
        return default();
    }
    rules.iter().find_map(|rule| match rule {
        Redirect::Off => None,
        Redirect::Default => default(),
        Redirect::Prefix(from, to) => {
            let from = request.render(from);
            let rest = value.strip_prefix(&from[..])?;
            Some([&request.render(to), rest].concat().into())
        }
        Redirect::Regex(pattern, to) => request.matches(pattern, value).then(|| request.render(to)),
    })
}

/// The new value of a `Refresh`, whose address stands behind `url=` (nginx:
/// `ngx_http_proxy_rewrite_refresh` as `ngx_http_upstream_rewrite_refresh` calls it).
pub(crate) fn refresh(
    value: &Bytes,
    rules: &[Redirect],
    default: Option<&Default<'_>>,
    request: &mut dyn Evaluate,
) -> Option<Bytes> {
    let start = value.windows(4).position(|window| window.eq_ignore_ascii_case(b"url="))? + 4;
    let address = location(&value.slice(start..), rules, default, request)?;
    Some([&value.slice(..start)[..], &address].concat().into())
}

#[cfg(test)]
mod tests {
    use tidegate_config::value::pattern::Pattern;
    use tidegate_config::value::template::Template;

    use super::*;

    struct Plain;

    impl Evaluate for Plain {
        fn render(&mut self, template: &Template) -> Bytes {
            Bytes::copy_from_slice(template.constant().unwrap())
        }

        fn matches(&mut self, _: &Pattern, _: &Bytes) -> bool {
            false
        }
    }

    fn rewritten(value: &'static str, rules: &[Redirect]) -> Option<Bytes> {
        let default = Default {
            scheme: "http",
            host: "app:8000",
            uri: Some("/inner/"),
            location: b"/outer/",
        };
        location(&value.into(), rules, Some(&default), &mut Plain)
    }

    #[test]
    fn nothing_said_is_default() {
        assert_eq!(rewritten("http://app:8000/inner/x", &[]).unwrap(), "/outer/x");
        assert_eq!(rewritten("http://app:8000/inner/x", &[Redirect::Default]).unwrap(), "/outer/x");
        assert_eq!(rewritten("http://app:8000/x", &[]), None);
        assert_eq!(rewritten("http://app:8000/inner/x", &[Redirect::Off]), None);
        let bare = Default { scheme: "http", host: "app", uri: None, location: b"/outer/" };
        assert_eq!(bare.from(), b"http://app/");
    }

    #[test]
    fn the_first_rule_that_fits_holds() {
        let prefix = |from: &'static str, to: &'static str| {
            Redirect::Prefix(Template::text(from), Template::text(to))
        };
        let rules = [prefix("http://a/", "/1/"), prefix("http://", "/2/")];
        assert_eq!(rewritten("http://a/x", &rules).unwrap(), "/1/x");
        assert_eq!(rewritten("http://b/x", &rules).unwrap(), "/2/b/x");
        let value = "5; URL=http://a/x".into();
        assert_eq!(refresh(&value, &rules, None, &mut Plain).unwrap(), "5; URL=/1/x");
    }
}
