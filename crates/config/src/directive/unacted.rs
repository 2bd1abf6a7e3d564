//! The values of directives that are passed over: what nginx would refuse is refused all the same, so
//! that a configuration that is accepted here is accepted there.

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
const EVENTS: &[&str] = &["epoll", "poll", "select"];
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
    ("use", Kind::Choice(EVENTS)),
    ("debug_points", Kind::Choice(POINTS)),
];

/// Looks at the words of a directive that is passed over.
pub(super) fn check(statement: &Statement, cx: &mut Cx<'_>) -> Result<(), Fault> {
    let name = statement.name.text.as_str();
    let words = statement.args.as_slice();
    if name.ends_with("_bind") {
        return bind(words, cx);
    }
    if name.ends_with("ssl_certificate_cache") {
        return remembered(words);
    }
    if name == "gzip_window" || name == "gzip_hash" {
        return power(words, if name == "gzip_hash" { 128 } else { 32 });
    }
    if name == "aio" {
        let fits =
            |text: &str| matches!(text, "on" | "off" | "threads") || text.starts_with("threads=");
        let wrong = words.iter().find(|word| !fits(&word.text));
        return wrong.map_or(Ok(()), |word| Err(Fault::phrase("invalid value").at(word.span)));
    }
    if name == "thread_pool" {
        return threads(words);
    }
    if name.ends_with("_cache_valid") {
        return valid(words);
    }
    if name.ends_with("_cache_path") {
        return zone(words);
    }
    // Those of memcached, and of the like, have other words than a proxy's.
    let fits = |end: &str| match end.strip_prefix('_') {
        Some(_) => name.ends_with(end),
        None => name == end,
    };
    match KINDS.iter().find(|(end, _)| fits(end)) {
        Some((_, kind)) => words.iter().try_for_each(|word| kind.judge(word, cx)),
        None => Ok(()),
    }
}

impl Kind {
    fn judge(&self, word: &Word, cx: &mut Cx<'_>) -> Result<(), Fault> {
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
            Self::Flag => (matches!(text, "on" | "off"), Fault::invalid_value(word)),
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

/// `off`, or `max=` and times.
fn remembered(words: &[Word]) -> Result<(), Fault> {
    let mut most = false;
    for word in words {
        let good = match word.text.split_once('=') {
            None => word.text == "off" && words.len() == 1,
            Some(("max", text)) => {
                most = true;
                number::parse(text).is_some_and(|number| number > 0)
            }
            Some(("inactive" | "valid", text)) => time::parse_seconds(text).is_some(),
            Some(_) => false,
        };
        if !good {
            return Err(Fault::invalid_parameter(word));
        }
    }
    if most || words.iter().any(|word| word.text == "off") {
        return Ok(());
    }
    Err(Fault::phrase("must have the \"max\" parameter").hint("say how many: max=1000"))
}

/// A power of two from 512 to as many KiB (nginx: `ngx_http_gzip_window`, `ngx_http_gzip_hash`).
fn power(words: &[Word], most: u64) -> Result<(), Fault> {
    let fits = |size: Size| size.0.is_power_of_two() && (512..=most << 10).contains(&size.0);
    if words.iter().all(|word| Size::parse(&word.text).is_none_or(fits)) {
        return Ok(());
    }
    Err(Fault::phrase(format!("must be 512, 1k, 2k and so on, or {most}k")))
}

/// A name, and `threads=`.
fn threads(words: &[Word]) -> Result<(), Fault> {
    let mut threads = false;
    for word in words.iter().skip(1) {
        let good = match word.text.split_once('=') {
            Some(("threads", text)) => {
                threads = true;
                number::parse(text).is_some_and(|number| number > 0)
            }
            Some(("max_queue", text)) => number::parse(text).is_some(),
            _ => false,
        };
        if !good && threads {
            return Err(Fault::invalid_parameter(word));
        }
    }
    if threads {
        return Ok(());
    }
    Err(Fault::phrase("must have \"threads\" parameter").hint("say how many: threads=32"))
}

/// Statuses, and how long their answers stay fresh.
fn valid(words: &[Word]) -> Result<(), Fault> {
    let Some((time, statuses)) = words.split_last() else { return Ok(()) };
    if time::parse_seconds(&time.text).is_none() {
        let text = format!("invalid time value \"{}\"", time.text);
        return Err(Fault::sentence(text).at(time.span));
    }
    let is_status =
        |text: &str| number::parse(text).is_some_and(|code| (100..=599).contains(&code));
    match statuses.iter().find(|word| word.text != "any" && !is_status(&word.text)) {
        Some(word) => {
            Err(Fault::sentence(format!("invalid status \"{}\"", word.text)).at(word.span))
        }
        None => Ok(()),
    }
}

/// A folder, `keys_zone=` and what else is said of it (nginx: `ngx_http_file_cache_set_slot`).
fn zone(words: &[Word]) -> Result<(), Fault> {
    let mut named = false;
    for word in words.iter().skip(1) {
        let (key, text) = word.text.split_once('=').unwrap_or((word.text.as_str(), ""));
        let is_time = || time::parse_milliseconds(text).is_some();
        let good = match key {
            "levels" => {
                let levels: Vec<&str> = text.split(':').collect();
                levels.len() <= 3 && levels.iter().all(|level| matches!(*level, "1" | "2"))
            }
            "keys_zone" => {
                named = true;
                let size = text.split_once(':').and_then(|(_, size)| Size::parse(size));
                // Two pages.
                size.is_some_and(|size| size.0 >= 8192)
            }
            "inactive" => time::parse_seconds(text).is_some(),
            "max_size" | "min_free" => Size::parse_offset(text).is_some(),
            "use_temp_path" => matches!(text, "on" | "off"),
            "manager_files" | "loader_files" => number::parse(text).is_some(),
            "manager_sleep" | "manager_threshold" | "loader_sleep" | "loader_threshold" => {
                is_time()
            }
            _ => false,
        };
        if !good {
            return Err(Fault::sentence(format!("invalid value \"{}\"", word.text)).at(word.span));
        }
    }
    if named {
        return Ok(());
    }
    Err(Fault::phrase("must have \"keys_zone\" parameter").hint("keys_zone=NAME:10m"))
}
