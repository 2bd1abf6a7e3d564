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
    if let Some(found) = map.keys.get(&key) {
        return found;
    }
    let found = map.regexes.first(source, |pattern| ex.matches(pattern, source));
    found.map_or(&map.default, |(_, value)| value)
}
