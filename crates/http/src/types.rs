//! types: what a file is, by its extension.

use bytes::Bytes;
use tidegate_config::block::Location;

use crate::uri::extension;

/// The type that the location's `types` give a path's extension; `None` where they give none.
pub fn by_extension(location: &Location, path: &[u8]) -> Option<Bytes> {
    let extension = extension(path);
    if extension.is_empty() {
        return None;
    }
    location.type_map.as_ref()?.get(extension).cloned()
}

/// The type that `types`, else `default_type`, give a path (nginx: `ngx_http_set_content_type`).
pub fn content_type(location: &Location, path: &[u8]) -> Option<Bytes> {
    by_extension(location, path).or_else(|| {
        let text = &location.types.default_type.0;
        (!text.is_empty()).then(|| text.clone())
    })
}
