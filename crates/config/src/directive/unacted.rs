//! The values of directives that are passed over: what nginx would refuse is refused all the same, so
//! that a configuration that is accepted here is accepted there.

mod cache;
mod threads;

use std::net::{IpAddr, SocketAddr};

use super::{Cx, Fault};
use crate::syntax::{Statement, Word};
use crate::value::size::Size;
use crate::value::template::Template;
use crate::value::{number, time};

/// What a word has to be.
enum Kind {
    Time,
    Size,
    Number,
    Flag,
    /// `off`, or a size, with `g` as well.
    OffOrSize,
    /// One of these, or several.
    Choice(&'static [&'static str]),
    /// Text with variables.
    Text,
}

const STALE: &[&str] = &[
    "error",
    "timeout",
    "invalid_header",
    "updating",
    "http_500",
    "http_502",
    "http_503",
    "http_504",
    "http_403",
    "http_404",
    "http_429",
    "off",
];
const NEXT: &[&str] = &["error", "timeout", "invalid_response", "not_found", "denied", "off"];
const METHODS: &[&str] = &["GET", "HEAD", "POST"];
const POINTS: &[&str] = &["stop", "abort"];

/// Kinds by the ends of names, the first that fits.
const KINDS: &[(&str, Kind)] = &[
    ("_next_upstream_timeout", Kind::Time),
    ("_next_upstream_tries", Kind::Number),
    ("_next_upstream", Kind::Choice(NEXT)),
    ("_timeout", Kind::Time),
    ("_lock_age", Kind::Time),
    ("accept_mutex_delay", Kind::Time),
    ("timer_resolution", Kind::Time),
    ("_buffer_size", Kind::Size),
    ("_rcvbuf", Kind::Size),
    ("_sndbuf", Kind::Size),
    ("_lowat", Kind::Size),
    ("_max_range_offset", Kind::Size),
    ("_min_uses", Kind::Number),
    ("_gzip_flag", Kind::Number),
    ("worker_aio_requests", Kind::Number),
    ("epoll_events", Kind::Number),
    ("_socket_keepalive", Kind::Flag),
    ("_cache_convert_head", Kind::Flag),
    ("open_file_cache_events", Kind::Flag),
    ("ssl_object_cache_inheritable", Kind::Flag),
    ("mp4_start_key_frame", Kind::Flag),
    ("_use_stale", Kind::Choice(STALE)),
    ("_cache_methods", Kind::Choice(METHODS)),
    ("_cache_key", Kind::Text),
    ("_cache_bypass", Kind::Text),
    ("_no_cache", Kind::Text),
    ("directio", Kind::OffOrSize),
    ("debug_points", Kind::Choice(POINTS)),
];

/// Looks at the words of a directive that is passed over.
pub(super) fn check(statement: &Statement, cx: &mut Cx<'_>) -> Result<(), Fault> {
    let name = statement.name.text.as_str();
    let words = statement.args.as_slice();
    if name.ends_with("_bind") {
        return bind(words, cx);
    }
    if name == "gzip_window" || name == "gzip_hash" {
        return power(words, if name == "gzip_hash" { 128 } else { 32 });
    }
    if name == "use" {
        return method(words);
    }
    if name == "aio" {
        return threads::aio(words, cx);
    }
    if name == "thread_pool" {
        return threads::pool(words, cx);
    }
    if let Some(checked) = cache::check(name, words, cx) {
        return checked;
    }
    // Those of memcached, and of the like, have other words than a proxy's.
    let fits = |end: &str| match end.strip_prefix('_') {
        Some(_) => name.ends_with(end),
        None => name == end,
    };
    match KINDS.iter().find(|(end, _)| fits(end)) {
        Some((_, kind)) => words.iter().try_for_each(|word| kind.judge(word, name, cx)),
        None => Ok(()),
    }
}

impl Kind {
    fn judge(&self, word: &Word, name: &str, cx: &mut Cx<'_>) -> Result<(), Fault> {
        let text = word.text.as_str();
        let (good, fault) = match self {
            Self::Time => {
                (time::parse_milliseconds(text).is_some(), Fault::phrase("invalid value"))
            }
            Self::Size => (Size::parse(text).is_some(), Fault::phrase("invalid value")),
            Self::Number => (number::parse(text).is_some(), Fault::phrase("invalid number")),
            Self::OffOrSize => {
                let good = text == "off" || Size::parse_offset(text).is_some();
                (good, Fault::phrase("invalid value"))
            }
            Self::Flag => {
                let told = format!(
                    "invalid value \"{text}\" in \"{name}\" directive, it must be \"on\" or \"off\""
                );
                (matches!(text, "on" | "off"), Fault::sentence(told))
            }
            Self::Choice(all) => (all.contains(&text), Fault::invalid_value(word)),
            Self::Text => return Template::compile(word, cx).map(|_| ()),
        };
        if good { Ok(()) } else { Err(fault.at(word.span)) }
    }
}

/// `off`, or an address, perhaps of variables, and `transparent`.
fn bind(words: &[Word], cx: &mut Cx<'_>) -> Result<(), Fault> {
    let Some((address, rest)) = words.split_first() else { return Ok(()) };
    let text = address.text.as_str();
    Template::compile(address, cx)?;
    let is_address = text.parse::<IpAddr>().is_ok() || text.parse::<SocketAddr>().is_ok();
    if !(is_address || text.contains('$') || (text == "off" && rest.is_empty())) {
        return Err(Fault::sentence(format!("invalid address \"{text}\"")).at(address.span));
    }
    match rest.iter().find(|word| word.text != "transparent") {
        Some(word) => Err(Fault::invalid_parameter(word)),
        None => Ok(()),
    }
}

/// What events are awaited by: what is not built into this system's nginx is refused by it.
fn method(words: &[Word]) -> Result<(), Fault> {
    match words.iter().find(|word| word.text != "epoll") {
        None => Ok(()),
        Some(word) => {
            let text = format!("invalid event type \"{}\"", word.text);
            Err(Fault::sentence(text)
                .at(word.span)
                .hint("Linux has `epoll`; or leave the line out"))
        }
    }
}

/// A power of two from 512 to as many KiB (nginx: `ngx_http_gzip_window`, `ngx_http_gzip_hash`).
fn power(words: &[Word], most: u64) -> Result<(), Fault> {
    let fits = |size: Size| size.0.is_power_of_two() && (512..=most << 10).contains(&size.0);
    let wrong = words.iter().find(|word| Size::parse(&word.text).is_some_and(|size| !fits(size)));
    let Some(wrong) = wrong else { return Ok(()) };
    let powers = (0..u64::BITS).map(|power| 1 << power).take_while(|size| *size < most);
    let all: Vec<String> = powers.map(|size| format!("{size}k")).collect();
    let text = format!("must be 512, {}, or {most}k", all.join(", "));
    Err(Fault::phrase(text).at(wrong.span))
}
