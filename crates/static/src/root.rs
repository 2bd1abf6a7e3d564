//! `root`, `alias`: from a URI to a path.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use bytes::Bytes;
use tidegate_config::http::root::Root;
use tidegate_config::value::template::{Part, Template};
use tidegate_http::exchange::Exchange;
use tidegate_http::stop::Stop;

/// The folder that files of a location lie in, or, for an alias, what stands for the location's
/// name.
#[derive(Clone, Debug)]
pub(crate) struct Base<'a> {
    path: Bytes,
    root: &'a Root,
}

impl<'a> Base<'a> {
    /// The one that holds for a request.
    pub(crate) fn of(ex: &mut Exchange<'a>) -> Self {
        let location = ex.location;
        Self { path: ex.document_root(), root: &location.root.root }
    }

    /// How often the configuration itself says `..`.
    fn written(&self) -> usize {
        written_ups(&self.root.path) + ups(self.root.prefix.as_os_str().as_bytes())
    }

    /// The folder itself, or that of an alias for a single file.
    pub(crate) fn folder(&self) -> PathBuf {
        PathBuf::from(OsString::from_vec(self.path.to_vec()))
    }

    /// The path of what lies at `rest` in it; `written` is what the configuration says of `rest`.
    ///
    /// No request can make up a way upwards: a path with a `..` that the configuration does not
    /// hold leads nowhere. This is stricter than nginx, where `location /x { alias /y/; }` and
    /// `/x../z` lead to `/z`, and where a variable may lead anywhere.
    pub(crate) fn join(&self, rest: &[u8], written: Option<&Template>) -> Result<PathBuf, Stop> {
        let mut path = Vec::with_capacity(self.path.len() + rest.len());
        path.extend_from_slice(&self.path);
        path.extend_from_slice(rest);
        let ups = ups(&path);
        let up = ups > 0 && ups > self.written() + written.map_or(0, written_ups);
        if up || memchr::memchr(0, &path).is_some() {
            return Err(Stop::Status(404));
        }
        Ok(PathBuf::from(OsString::from_vec(path)))
    }
}

/// The path of the file that a request is for.
pub(crate) fn file(ex: &mut Exchange<'_>) -> Result<PathBuf, Stop> {
    let rest = rest(ex)?;
    Base::of(ex).join(&rest, None)
}

/// What of the URI lies behind the base.
pub(crate) fn rest(ex: &Exchange<'_>) -> Result<Bytes, Stop> {
    ex.path_in_root().ok_or(Stop::Status(500))
}

fn written_ups(template: &Template) -> usize {
    let texts = template.parts.iter().map(|part| match part {
        Part::Text(text) => ups(text),
        Part::Variable(_) => 0,
    });
    texts.sum()
}

/// How many segments of a path are `..`.
fn ups(path: &[u8]) -> usize {
    let mut dots = memchr::memchr_iter(b'.', path);
    if !dots.any(|at| path.get(at + 1) == Some(&b'.')) {
        return 0;
    }
    path.split(|&byte| byte == b'/').filter(|&segment| segment == b"..").count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads_to(base: &str, rest: &str) -> Option<String> {
        let path = Bytes::copy_from_slice(base.as_bytes());
        let template = Template { parts: vec![Part::Text(path.clone())] };
        let root = Root { path: template, alias: false, replaces: None, prefix: PathBuf::new() };
        let base = Base { path, root: &root };
        let path = base.join(rest.as_bytes(), None).ok()?;
        Some(path.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_uri_is_put_behind_the_base_as_it_is() {
        assert_eq!(leads_to("/srv", "/a/b").unwrap(), "/srv/a/b");
        assert_eq!(leads_to("/srv/images", "../a").unwrap(), "/srv/images../a");
        assert_eq!(leads_to("/srv/../www", "/a..b/..c").unwrap(), "/srv/../www/a..b/..c");
    }

    #[test]
    fn no_request_leads_out_of_the_base() {
        for (base, rest) in [
            ("/srv/images/", "../a"),
            ("/srv/images/.", "./a"),
            ("/srv/images", "/../a"),
            ("/srv/../www", "/../a"),
            ("/srv", "/.."),
            ("/srv", "/a\0b"),
        ] {
            assert_eq!(leads_to(base, rest), None, "{base} {rest}");
        }
    }
}
