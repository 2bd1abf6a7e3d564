//! gzip: who takes it, and what proxies are sent.

use tidegate_config::http::gzip::{Disable, GzipVersion, Proxied};

use super::compression::accept;
use crate::date::{Now, parse_http_date};
use crate::exchange::Exchange;
use crate::head::Version;
use crate::response::Response;

/// Says that the answer depends on what the client takes.
pub fn vary(response: &mut Response) {
    let said = |value: &bytes::Bytes| value == "Accept-Encoding";
    if !response.headers.get("Vary").is_some_and(said) {
        response.headers.push_front("Vary", "Accept-Encoding");
    }
}

/// Whether this client is to be sent the answer compressed (nginx: `ngx_http_gzip_ok`).
pub fn is_taken(ex: &Exchange<'_>, response: &Response) -> bool {
    let gzip = &ex.location.gzip;
    let headers = &ex.request.headers;
    let accepted = headers.get("Accept-Encoding").is_some_and(|v| accept::accepts(v, b"gzip"));
    let least = match gzip.http_version {
        GzipVersion::Http10 => Version::Http10,
        GzipVersion::Http11 => Version::Http11,
    };
    if !accepted || ex.request.version < least {
        return false;
    }
    let proxied = headers.contains("Via");
    if proxied && !is_for_proxies(ex, response, gzip.proxied) {
        return false;
    }
    let agent = headers.get("User-Agent");
    !agent.is_some_and(|agent| gzip.disable.iter().flatten().any(|rule| rule_holds(rule, agent)))
}

/// Whether a proxy may be sent it compressed (nginx: `gzip_proxied`).
fn is_for_proxies(ex: &Exchange<'_>, response: &Response, proxied: Proxied) -> bool {
    if proxied == Proxied::default() {
        return false;
    }
    if proxied.any || proxied.auth && ex.request.headers.contains("Authorization") {
        return true;
    }
    let headers = &response.headers;
    if let Some(expires) = headers.get("Expires") {
        let now = match headers.get("Date") {
            Some(date) => parse_http_date(date),
            None => Some(Now::get().seconds),
        };
        let expired = parse_http_date(expires).zip(now).is_some_and(|(then, now)| then < now);
        return proxied.expired && expired;
    }
    if headers.contains("Cache-Control") {
        let says = |word: &[u8]| headers.all(b"Cache-Control").any(|v| lists(v, word));
        return proxied.no_cache && says(b"no-cache")
            || proxied.no_store && says(b"no-store")
            || proxied.private && says(b"private");
    }
    // A file's time is none of the fields that nginx looks at here.
    let modified = headers.contains("Last-Modified");
    let tagged = headers.contains("ETag");
    !(proxied.no_last_modified && modified || proxied.no_etag && tagged)
}

/// Whether a list of directives holds this one.
fn lists(value: &[u8], word: &[u8]) -> bool {
    value.split(|byte| b",;".contains(byte)).any(|part| {
        let name = part.split(|&byte| byte == b'=').next().unwrap_or_default();
        name.trim_ascii().eq_ignore_ascii_case(word)
    })
}

fn rule_holds(rule: &Disable, agent: &[u8]) -> bool {
    match rule {
        Disable::Msie6 => is_msie6(agent),
        Disable::Degradation => false,
        Disable::Agent(regex) => regex.is_match(agent).unwrap_or(true),
    }
}

/// Internet Explorer 4 to 6, where it lacks the service pack that mended it (nginx:
/// `ngx_http_process_user_agent`).
pub fn is_msie6(agent: &[u8]) -> bool {
    let find = |text: &[u8], word: &[u8]| memchr::memmem::find(text, word);
    if find(agent, b"Opera").is_some() {
        return false;
    }
    let Some(behind) = find(agent, b"MSIE ").and_then(|at| agent.get(at + 5..)) else {
        return false;
    };
    match behind {
        [b'4' | b'5', b'.', _, ..] => true,
        [b'6', b'.', _, rest @ ..] => find(rest, b"SV1").is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_browsers_are_known_by_their_names() {
        let is = |name: &str| is_msie6(format!("Mozilla/4.0 (compatible; {name}").as_bytes());
        assert!(is("MSIE 6.0; Windows)") && is("MSIE 5.0)") && is("MSIE 4.01)"));
        assert!(!is("MSIE 6.0; Windows NT 5.1; SV1)") && !is("MSIE 7.0)") && !is("MSIE 10.0)"));
        assert!(!is("MSIE 6.0) Opera 9") && !is("MSIE ") && !is("MSIE 6."));
    }

    #[test]
    fn directives_are_found_in_a_list() {
        assert!(lists(b"max-age=0, Private", b"private") && lists(b"no-cache", b"no-cache"));
        assert!(lists(b"private=\"x\"", b"private") && !lists(b"privately", b"private"));
    }
}
