//! Variables of the browser, by its name.

use bytes::Bytes;
use tidegate_config::http::browser::{BROWSERS, Browser, ModernBrowser};
use tidegate_config::variable::Builtin;

use crate::exchange::Exchange;

pub(super) fn value(ex: &Exchange<'_>, builtin: Builtin) -> Option<Bytes> {
    let location = ex.location;
    let browser = &location.browser;
    let agent = ex.request.headers.get("User-Agent").cloned();
    let text = |value: &str| Some(Bytes::copy_from_slice(value.as_bytes()));
    let modern = || is_modern(browser, agent.as_deref());
    match builtin {
        Builtin::ModernBrowser if modern() => text(&browser.modern_value.0),
        Builtin::AncientBrowser if !modern() => text(&browser.ancient_value.0),
        Builtin::Msie if is_msie(&agent.unwrap_or_default()) => Some(Bytes::from_static(b"1")),
        _ => Some(Bytes::new()),
    }
}

/// nginx: `ngx_http_browser`
fn is_modern(browser: &Browser, agent: Option<&[u8]>) -> bool {
    let unlisted = browser.modern.contains(&ModernBrowser::Unlisted);
    let Some(agent) = agent else { return unlisted };
    for known in &BROWSERS {
        let least = browser.modern.iter().find_map(|modern| match modern {
            ModernBrowser::From(browser, least) if browser.name == known.name => Some(*least),
            _ => None,
        });
        let word = known.word.as_bytes();
        let rest = agent.get(known.skip..).unwrap_or_default();
        if let Some(least) = least
            && let Some(at) = memchr::memmem::find(rest, word)
            && let Some(version) = rest.get(at + word.len()..).filter(|rest| !rest.is_empty())
        {
            return version_of(version) >= least;
        }
    }
    unlisted && !browser.ancient.iter().flatten().any(|word| is_ancient(word, agent))
}

fn is_ancient(word: &str, agent: &[u8]) -> bool {
    if word == "netscape4" {
        // As `Mozilla/4.72 [en]`; nginx wants so much behind it.
        let version = agent.strip_prefix(b"Mozilla/").filter(|rest| rest.len() > 5);
        return version.is_some_and(|rest| matches!(rest, [b'1'..=b'4', ..]));
    }
    memchr::memmem::find(agent, word.as_bytes()).is_some()
}

/// A version as a number: its parts count 1000000, 10000, 100 and 1.
fn version_of(text: &[u8]) -> u64 {
    let end = text.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.');
    let text = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    let (mut version, mut scale) = (0_u64, 1_000_000_u64);
    for part in text.split(|&byte| byte == b'.') {
        let digits = part.iter().fold(0_u64, |number, digit| {
            number.saturating_mul(10).saturating_add(u64::from(digit.wrapping_sub(b'0')))
        });
        version = version.saturating_add(digits.saturating_mul(scale));
        scale /= 100;
    }
    version
}

/// nginx: `ngx_http_process_user_agent`
fn is_msie(agent: &[u8]) -> bool {
    let find = |word: &[u8]| memchr::memmem::find(agent, word);
    let behind = find(b"MSIE ").and_then(|at| agent.get(at + 5..));
    behind.is_some_and(|rest| rest.len() > 1) && find(b"Opera").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        assert_eq!(version_of(b"5.5; Windows"), 5_050_000);
        assert_eq!(version_of(b"1.7.12) Gecko"), 1_071_200);
        assert_eq!(version_of(b"x"), 0);
        assert_eq!(version_of(b"99999999999999999999999.1"), u64::MAX);
    }
}
