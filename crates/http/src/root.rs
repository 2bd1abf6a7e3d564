//! root: where on disk a URI lies.

use bytes::Bytes;
use tidegate_config::block::location::LocationName;
use tidegate_config::http::error_log::Level;

use crate::exchange::Exchange;

impl Exchange<'_> {
    /// The folder of the location, `root` or `alias` (`$document_root`).
    pub fn document_root(&mut self) -> Bytes {
        let root = &self.location.root.root;
        let path = self.render(&root.path);
        if path.starts_with(b"/") {
            return path;
        }
        let prefix = root.prefix.to_string_lossy();
        let slash = if prefix.ends_with('/') { "" } else { "/" };
        [prefix.as_bytes(), slash.as_bytes(), &path].concat().into()
    }

    /// The path that the URI has on disk, not checked in any way (`$request_filename`; nginx:
    /// `ngx_http_map_uri_to_path`). `None` where an alias stands in a location that the URI has
    /// been rewritten away from.
    pub fn file_path(&mut self) -> Option<Bytes> {
        let root = self.document_root();
        let location = self.location;
        if !location.root.root.alias {
            return Some([root.as_ref(), &self.uri].concat().into());
        }
        let rest = match &location.name {
            LocationName::Prefix { prefix: name, .. } | LocationName::Exact(name) => {
                let rest = self.uri.strip_prefix(name.as_ref());
                let Some(rest) = rest else {
                    let message = "\"alias\" cannot be used in location where URI was rewritten";
                    self.log(Level::Error, message);
                    return None;
                };
                rest
            }
            _ => &[],
        };
        Some([root.as_ref(), rest].concat().into())
    }
}
