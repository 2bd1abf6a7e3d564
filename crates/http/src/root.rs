//! root: where on disk a URI lies.

use bytes::Bytes;
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

    /// What of the URI goes behind the folder: all of it; for an `alias` what follows the location's
    /// name, which is nothing where the location is a regular expression. `None` where the URI has
    /// been rewritten away from the location.
    pub fn path_in_root(&self) -> Option<Bytes> {
        let root = &self.location.root.root;
        let name = match root.replaces {
            _ if !root.alias => 0,
            None if self.behind_alias => 0,
            None => self.uri.len(),
            Some(name) => name,
        };
        if root.alias && !self.in_location || name > self.uri.len() {
            let uri = String::from_utf8_lossy(&self.uri);
            let message = "\"alias\" cannot be used in location where URI was rewritten";
            self.log(Level::Alert, &format!("{message} to \"{uri}\""));
            return None;
        }
        Some(self.uri.slice(name..))
    }

    /// The path that the URI has on disk, not checked in any way (`$request_filename`; nginx:
    /// `ngx_http_map_uri_to_path`). `None` where an alias stands in a location that the URI has
    /// been rewritten away from.
    pub fn file_path(&mut self) -> Option<Bytes> {
        let rest = self.path_in_root()?;
        let root = self.document_root();
        Some([root.as_ref(), &rest].concat().into())
    }
}
