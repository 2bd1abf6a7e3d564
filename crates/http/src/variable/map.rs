//! map: a variable whose value depends on another's (nginx: `ngx_http_map_find`).

use bytes::Bytes;
use tidegate_config::http::map::Map;
use tidegate_config::value::template::Template;

use crate::exchange::Exchange;

/// The value of a map's variable.
pub(super) fn look_up(ex: &mut Exchange<'_>, map: &Map) -> Bytes {
    let source = ex.render(&map.source);
    let template = find(ex, map, &source);
    ex.render(template)
}

fn find<'m>(ex: &mut Exchange<'_>, map: &'m Map, source: &Bytes) -> &'m Template {
    let mut key = source.to_ascii_lowercase();
    if map.hostnames && key.last() == Some(&b'.') {
        key.pop();
    }
    if let Some(found) = map.exact.get(key.as_slice()) {
        return found;
    }
    if let Some(found) = wildcard(map, &key) {
        return found;
    }
    for (pattern, value) in &map.regexes {
        if ex.matches(pattern, source) {
            return value;
        }
    }
    &map.default
}

/// The longest `*.x` that fits, else the longest `x.*`.
fn wildcard<'m>(map: &'m Map, key: &[u8]) -> Option<&'m Template> {
    let dots = || key.iter().enumerate().filter(|(_, byte)| **byte == b'.').map(|(at, _)| at);
    if !map.heads.is_empty() {
        let head = dots().filter(|at| *at > 0).find_map(|at| map.heads.get(key.get(at..)?));
        if head.is_some() {
            return head;
        }
    }
    if map.tails.is_empty() {
        return None;
    }
    dots().filter_map(|at| map.tails.get(key.get(..=at)?)).next_back()
}
