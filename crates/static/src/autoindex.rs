//! `autoindex`: a folder's listing (nginx: `ngx_http_autoindex_module`).

mod html;
mod json;
mod listing;
mod xml;

use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::Method;
use rustix::io::Errno;
use tidegate_config::http::autoindex::AutoindexFormat;
use tidegate_config::http::error_log::Level;
use tidegate_http::exchange::Exchange;
use tidegate_http::response::Response;
use tidegate_http::stop::Stop;
use tidegate_http::uri::escape::unescape;

use crate::{fault, root};
use html::{Page, Style};
use listing::{Format, Listing};

/// One line of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    name: Box<[u8]>,
    kind: Kind,
    /// When it was changed, in seconds since 1970.
    modified: i64,
    /// Its length, in bytes.
    length: u64,
}

/// What an entry is. Folders are listed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Folder,
    File,
    Other,
}

/// Lists the folder that the URI names; `None` where that is not wanted.
pub(crate) async fn respond(ex: &mut Exchange<'_>) -> Result<Option<Response>, Stop> {
    let location = ex.location;
    let reads = matches!(ex.method, Method::GET | Method::HEAD);
    if !location.autoindex.enabled || !reads || !ex.uri.ends_with(b"/") {
        return Ok(None);
    }
    let callback = match location.autoindex.format {
        AutoindexFormat::Jsonp => callback(ex)?,
        _ => None,
    };
    let path = root::file(ex)?;
    let folder = without_slash(&path);
    let (format, style) = (location.autoindex.format, Style::of(ex));
    let content_type = match format {
        AutoindexFormat::Html => "text/html",
        AutoindexFormat::Xml => "text/xml",
        _ if callback.is_some() => "application/javascript",
        AutoindexFormat::Json | AutoindexFormat::Jsonp => "application/json",
    };
    // A folder may have very many entries: they are read on another thread. As they are sorted, all
    // are in memory, some 80 bytes each; the text that is made of them is not.
    let work = move || {
        let listing = list(&folder).map(|entries| {
            let format = match format {
                AutoindexFormat::Html => Format::Html(Page::new(style)),
                AutoindexFormat::Xml => Format::Xml,
                AutoindexFormat::Json | AutoindexFormat::Jsonp => Format::Json(callback),
            };
            Listing::new(format, entries)
        });
        (listing, folder)
    };
    let working = tokio::task::spawn_blocking(work);
    let (listing, folder) = working.await.map_err(|_| Stop::Status(500))?;
    let listing = listing.map_err(|error| {
        let error = Errno::from_io_error(&error).unwrap_or(Errno::IO);
        fault::refused(ex, "opendir()", &folder, error)
    })?;
    let mut response = Response::new(200).with_type(content_type);
    response.charset = content_type.ends_with("xml").then(|| Bytes::from_static(b"utf-8"));
    response.body = listing.into_body();
    // As from nginx, it comes without a length.
    response.content_length = None;
    Ok(Some(response))
}

/// The function that JSON is to be passed to; 400 where it is more than a name.
fn callback(ex: &Exchange<'_>) -> Result<Option<Vec<u8>>, Stop> {
    let args = ex.args.as_deref().unwrap_or_default();
    let mut parts = args.split(|&byte| byte == b'&');
    let Some(name) = parts.find_map(|part| part.strip_prefix(b"callback=")) else {
        return Ok(None);
    };
    let name = unescape(name).into_owned();
    if name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(byte)) {
        return Ok(Some(name).filter(|name| !name.is_empty()));
    }
    ex.log(Level::Error, "client sent invalid callback name");
    Err(Stop::Status(400))
}

fn without_slash(path: &Path) -> PathBuf {
    path.components().collect()
}

/// Reads a folder: folders first, then by name. Names that begin with a dot are left out.
fn list(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_vec();
        if name.starts_with(b".") {
            continue;
        }
        let name = name.into_boxed_slice();
        match metadata(&entry) {
            Ok(metadata) => entries.push(Entry::of(name, &metadata)),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    entries.sort_unstable_by(|one, two| {
        let folder = |entry: &Entry| entry.kind != Kind::Folder;
        folder(one).cmp(&folder(two)).then_with(|| one.name.cmp(&two.name))
    });
    Ok(entries)
}

/// What a link leads to, or the link itself where that is nothing.
fn metadata(entry: &DirEntry) -> io::Result<Metadata> {
    let path = entry.path();
    fs::metadata(&path).or_else(|error| match Errno::from_io_error(&error) {
        Some(Errno::NOENT | Errno::LOOP) => fs::symlink_metadata(&path),
        _ => Err(error),
    })
}

impl Entry {
    fn of(name: Box<[u8]>, metadata: &Metadata) -> Self {
        let kind = match metadata.file_type() {
            kind if kind.is_dir() => Kind::Folder,
            kind if kind.is_file() => Kind::File,
            _ => Kind::Other,
        };
        Self { name, kind, modified: metadata.mtime(), length: metadata.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_first_and_hidden_files_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b", "a", ".hidden", "B"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        fs::create_dir(folder.path().join("z")).unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("link")).unwrap();
        let entries = list(folder.path()).unwrap();
        let names: Vec<_> = entries.iter().map(|entry| &*entry.name).collect();
        assert_eq!(names, [&b"z"[..], b"B", b"a", b"b", b"link"]);
        let kinds: Vec<_> = entries.iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds, [Kind::Folder, Kind::File, Kind::File, Kind::File, Kind::Other]);
        assert!(list(&folder.path().join("none")).is_err());
    }
}
