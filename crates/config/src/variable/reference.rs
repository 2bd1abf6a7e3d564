//! The reference of variables: every one, what it holds, and which hold nothing here.

use std::fmt::Write as _;

use super::{Builtin, Source};

impl Builtin {
    /// Why no request gives it a value yet; `None` where requests do.
    pub fn why_empty(self) -> Option<&'static str> {
        let reason = match self {
            Self::Http3 => "connections are not taken over QUIC",
            Self::UpstreamCacheEtag
            | Self::UpstreamCacheLastModified
            | Self::UpstreamCacheStatus => "answers are not kept",
            Self::SslEchOuterServerName | Self::SslEchStatus => {
                "the encrypted client hello is not spoken"
            }
            _ => "nobody asks the system for it",
        };
        self.is_empty_yet().then_some(reason)
    }
}

impl Source {
    /// What the variables of a prefix hold.
    fn doc(self) -> &'static str {
        match self {
            Self::Http => "a field of the request, its name in lower case with `_` for `-`",
            Self::SentHttp => "a field of the answer",
            Self::SentTrailer => "a field behind the answer's body",
            Self::UpstreamHttp => "a field of the upstream's answer",
            Self::UpstreamTrailer => "a field behind the body of the upstream's answer",
            Self::UpstreamCookie => "a cookie that the upstream sets",
            Self::ProxyProtocolTlv => "a value of the PROXY protocol, by name or as `0x…`",
            Self::Arg => "an argument of the request line",
            Self::Cookie => "a cookie of the request",
        }
    }

    /// Why the variables of a prefix hold nothing yet.
    fn why_empty(self) -> Option<&'static str> {
        match self {
            Self::UpstreamTrailer => Some("trailers are not kept"),
            _ => None,
        }
    }
}

/// The text of `VARIABLES.md`.
pub fn markdown() -> String {
    let own = Builtin::NAMES.iter().filter_map(|name| Builtin::of(name));
    let own = own.map(|own| (format!("${}", own.name()), own.doc(), own.why_empty()));
    let named = Source::PREFIXES
        .iter()
        .map(|(prefix, source)| (format!("${prefix}…"), source.doc(), source.why_empty()));
    let mut all: Vec<_> = own.chain(named).collect();
    all.sort();
    let empty = all.iter().filter(|(.., why)| why.is_some()).count();
    let share =
        |number: usize| format!("{number} ({:.1} %)", number as f64 * 100.0 / all.len() as f64);
    let mut text = format!(
        "# Variables\n\nGenerated from `crates/config`; a test keeps it current, and another asks nginx \
         whether these are its own.\n\nOf {} variables and prefixes of nginx's, {} have a value, and {} \
         are always empty, of which `tidegate -t` tells. Besides them `set`, `map`, `geo`, \
         `split_clients`, `auth_request_set` and named groups of regular expressions define variables, \
         and `$1` to `$9` are the groups of the last expression that matched. A variable that nobody \
         defines is a fault.\n\n## With a value\n\n| variable | |\n|---|---|\n",
        all.len(),
        share(all.len() - empty),
        share(empty)
    );
    for (name, doc, _) in all.iter().filter(|(.., why)| why.is_none()) {
        let _ = writeln!(text, "| `{name}` | {doc} |");
    }
    text.push_str("\n## Always empty\n\n| variable | | why |\n|---|---|---|\n");
    for (name, doc, why) in &all {
        if let Some(why) = why {
            let _ = writeln!(text, "| `{name}` | {doc} | {why} |");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_documented() {
        let without = Builtin::NAMES
            .iter()
            .filter(|name| Builtin::of(name).is_none_or(|builtin| builtin.doc().is_empty()));
        let without: Vec<_> = without.collect();
        assert!(without.is_empty(), "say in variable/doc.rs what these hold: {without:?}");
    }
}
