//! `proxy_redirect`: an upstream's own addresses in `Location` and `Refresh` become ours.

use bytes::Bytes;
use tidegate_config::http::proxy::Redirect;

use crate::evaluate::Evaluate;

/// What `default` says: this beginning becomes that one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Default {
    /// The upstream's address, and the URI of `proxy_pass` or a slash.
    pub(crate) from: Bytes,
    /// The location's name, or a slash.
    pub(crate) to: Bytes,
}

impl Default {
    /// From `proxy_pass` and its location (nginx: `ngx_http_proxy_merge_loc_conf`).
    pub(crate) fn new(scheme: &str, host: &str, uri: Option<&str>, location: &[u8]) -> Self {
        let from = format!("{scheme}://{host}{}", uri.unwrap_or("/")).into();
        let to = match uri {
            Some(_) => Bytes::copy_from_slice(location),
            None => Bytes::from_static(b"/"),
        };
        Self { from, to }
    }
}

/// The new value of a `Location`; `None` where no rule applies (nginx:
/// `ngx_http_proxy_rewrite_redirect`).
pub(crate) fn location(
    value: &Bytes,
    rules: &[Redirect],
    default: Option<&Default>,
    request: &mut dyn Evaluate,
) -> Option<Bytes> {
    rules.iter().find_map(|rule| match rule {
        Redirect::Off => None,
        Redirect::Default => {
            let Default { from, to } = default?;
            value.strip_prefix(&from[..]).map(|rest| [to, rest].concat().into())
        }
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
    default: Option<&Default>,
    request: &mut dyn Evaluate,
) -> Option<Bytes> {
    let start = value.windows(4).position(|window| window.eq_ignore_ascii_case(b"url="))? + 4;
    let address = location(&value.slice(start..), rules, default, request)?;
    Some([&value.slice(..start)[..], &address].concat().into())
}
