//! `$invalid_referer`: whether a request comes from another site than those allowed.

use bytes::Bytes;
use tidegate_config::http::referer::Valid;
use tidegate_config::http::server_name::NameKind;

use crate::exchange::Exchange;

/// The longest host that is looked up, in bytes.
const LONGEST_HOST: usize = 256;

/// Empty where the request may come from where it says it does, else `1` (nginx:
/// `ngx_http_referer_variable`).
pub(super) fn invalid(ex: &mut Exchange<'_>) -> Bytes {
    let location = ex.location;
    let rules = location.referer.valid.as_slice();
    let valid = rules.is_empty() || is_valid(ex, rules);
    Bytes::from_static(if valid { b"" } else { b"1" })
}

fn is_valid(ex: &mut Exchange<'_>, rules: &[Valid]) -> bool {
    let Some(referer) = ex.request.headers.get("Referer").cloned() else {
        return rules.iter().any(|rule| rule.none);
    };
    let Some(site) = behind_scheme(&referer) else {
        return rules.iter().any(|rule| rule.blocked);
    };
    let end = site.iter().position(|byte| b"/:".contains(byte)).unwrap_or(site.len());
    if end > LONGEST_HOST {
        return false;
    }
    let host = site.slice(..end).to_ascii_lowercase();
    for rule in rules {
        if let Some(beginning) = rule.hosts.get(&host) {
            let path = memchr::memchr(b'/', &site).map_or(site.len(), |at| at);
            return site.get(path..).unwrap_or_default().starts_with(beginning.as_bytes());
        }
    }
    if rules.iter().any(|rule| rule.server_names) && is_own(ex, &host) {
        return true;
    }
    let mut patterns = rules.iter().flat_map(|rule| &rule.patterns);
    patterns.any(|pattern| ex.matches(pattern, &site))
}

/// What stands behind `http://` or `https://`; `None` where neither is there.
fn behind_scheme(referer: &Bytes) -> Option<Bytes> {
    let shortest = b"http://i.ru".len();
    let starts = |scheme: &[u8]| {
        referer.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    let scheme = [b"http://".as_slice(), b"https://"].into_iter().find(|scheme| starts(scheme))?;
    (referer.len() >= shortest).then(|| referer.slice(scheme.len()..))
}

/// Whether a host is one of the names of the request's server.
fn is_own(ex: &mut Exchange<'_>, host: &[u8]) -> bool {
    let server = ex.server;
    let mut names = server.settings.server_name.names.iter().flat_map(|names| &names.0);
    let ends = |text: &str| host.len() > text.len() && host.ends_with(text.as_bytes());
    names.any(|name| match &name.kind {
        NameKind::Exact(text) => host == text.as_bytes(),
        NameKind::Head(text) => ends(text),
        NameKind::HeadAndExact(text) => ends(text) || text.as_bytes().get(1..) == Some(host),
        NameKind::Tail(text) => host.len() > text.len() && host.starts_with(text.as_bytes()),
        NameKind::Regex(pattern) => ex.matches(pattern, &Bytes::copy_from_slice(host)),
        NameKind::Nothing => false,
    })
}
