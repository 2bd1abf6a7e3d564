//! `proxy_cache` and its kin: zones and words that nginx refuses are refused, though nothing is kept.

use super::{Cx, Fault, Size, Template, Word, number, time};
use crate::names::zone::ZoneUse;

/// The protocols whose answers can be kept.
const FAMILIES: [&str; 4] = ["proxy", "uwsgi", "fastcgi", "scgi"];

/// Two pages, in bytes (nginx: `ngx_http_file_cache_set_slot`).
const SMALLEST: u64 = 2 * 4096;

/// Judges the words of a directive; nothing where it is none of these.
pub(super) fn check(name: &str, words: &[Word], cx: &mut Cx<'_>) -> Option<Result<(), Fault>> {
    let (family, rest) = FAMILIES.iter().find_map(|family| {
        name.strip_prefix(family).and_then(|rest| rest.strip_prefix("_cache")).map(|r| (*family, r))
    })?;
    match rest {
        "" => Some(asked(family, words, cx)),
        "_path" => Some(path(family, words, cx)),
        "_valid" => Some(valid(words)),
        _ => None,
    }
}

/// `off`, a zone, or variables that name one.
fn asked(family: &'static str, words: &[Word], cx: &mut Cx<'_>) -> Result<(), Fault> {
    let Some(word) = words.first().filter(|word| word.text != "off") else { return Ok(()) };
    if word.text.contains('$') {
        return Template::compile(word, cx).map(|_| ());
    }
    cx.names.zones.zone(ZoneUse::Answers(family), &word.text, word.span).map(|_| ())
}

/// Statuses, and how long their answers stay fresh (nginx: `ngx_http_file_cache_valid_set_slot`).
fn valid(words: &[Word]) -> Result<(), Fault> {
    let Some((time, statuses)) = words.split_last() else { return Ok(()) };
    if time::parse_seconds(&time.text).is_none() {
        let text = format!("invalid time value \"{}\"", time.text);
        return Err(Fault::sentence(text).at(time.span).hint("a time stands last: 200 302 10m"));
    }
    let is_status =
        |text: &str| number::parse(text).is_some_and(|code| (100..=599).contains(&code));
    match statuses.iter().find(|word| word.text != "any" && !is_status(&word.text)) {
        Some(word) => {
            let text = format!("invalid status \"{}\"", word.text);
            Err(Fault::sentence(text).at(word.span).hint("100 to 599, or `any`"))
        }
        None => Ok(()),
    }
}

/// A folder, `keys_zone=` and what else is said of it (nginx: `ngx_http_file_cache_set_slot`).
fn path(family: &'static str, words: &[Word], cx: &mut Cx<'_>) -> Result<(), Fault> {
    let Some((folder, rest)) = words.split_first() else { return Ok(()) };
    let mut zone = None;
    for word in rest {
        let (key, text) = word.text.split_once('=').unwrap_or((word.text.as_str(), ""));
        let invalid =
            |what: &str| Fault::sentence(format!("invalid {what} \"{}\"", word.text)).at(word.span);
        let value = |good: bool| if good { Ok(()) } else { Err(invalid(&format!("{key} value"))) };
        match key {
            "levels" if !are_levels(text) => return Err(invalid("\"levels\"")),
            "keys_zone" => zone = Some((word, keys(text, word)?)),
            "inactive" => value(time::parse_seconds(text).is_some())?,
            "max_size" | "min_free" => value(Size::parse_offset(text).is_some())?,
            "use_temp_path" if !matches!(text, "on" | "off") => {
                let text = format!(
                    "invalid use_temp_path value \"{}\", it must be \"on\" or \"off\"",
                    word.text
                );
                return Err(Fault::sentence(text).at(word.span));
            }
            "levels" | "use_temp_path" => {}
            "manager_files" | "loader_files" => value(number::parse(text).is_some())?,
            "manager_sleep" | "manager_threshold" | "loader_sleep" | "loader_threshold" => {
                value(time::parse_milliseconds(text).is_some())?;
            }
            _ => return Err(invalid("parameter")),
        }
    }
    let Some((word, (name, size))) = zone.filter(|(_, (name, _))| !name.is_empty()) else {
        let text = format!("\"{family}_cache_path\" must have \"keys_zone\" parameter");
        return Err(Fault::sentence(text).hint("keys_zone=NAME:10m"));
    };
    let (_, before) = cx.names.zones.define(ZoneUse::Answers(family), name, size, word.span)?;
    if before {
        return Err(Fault::sentence(format!("duplicate zone \"{name}\"")).at(word.span));
    }
    let at = cx.under_prefix(&folder.text);
    cx.names.cache_folder(at).map_err(|fault| fault.at(folder.span))
}

/// `1:2`, the lengths of the names of folders; none at all is allowed.
fn are_levels(text: &str) -> bool {
    text.is_empty()
        || text.split(':').count() <= 3 && text.split(':').all(|one| matches!(one, "1" | "2"))
}

/// `name:10m`
fn keys<'a>(text: &'a str, word: &Word) -> Result<(&'a str, u64), Fault> {
    let invalid = || {
        Fault::sentence(format!("invalid keys zone size \"{}\"", word.text))
            .at(word.span)
            .hint("a name and a size: keys_zone=NAME:10m")
    };
    let (name, size) = text.split_once(':').ok_or_else(invalid)?;
    let size = Size::parse(size).ok_or_else(invalid)?.0;
    if size < SMALLEST {
        let text = format!("keys zone \"{}\" is too small", word.text);
        return Err(Fault::sentence(text).at(word.span).hint("8k is the least"));
    }
    Ok((name, size))
}
