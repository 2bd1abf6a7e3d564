//! A file as an answer (nginx: `ngx_http_static_module`).

use std::path::Path;

use bytes::Bytes;
use http::Method;
use tidegate_config::http::error_log::Level;
use tidegate_http::boxed::boxed;
use tidegate_http::exchange::Exchange;
use tidegate_http::filter::gzip;
use tidegate_http::response::Response;
use tidegate_http::stop::Stop;
use tidegate_http::uri::escape::{Escape, escape};

use crate::open_file::{Found, OpenFile, open};
use crate::precompressed::{self, Compressed};
use crate::symlink::Links;
use crate::{fault, root, types};

/// Answers with the file that the URI names; `None` where it names a folder.
pub(crate) async fn respond(ex: &mut Exchange<'_>) -> Result<Option<Box<Response>>, Stop> {
    if !matches!(ex.method, Method::GET | Method::HEAD | Method::POST) {
        return Err(Stop::Status(405));
    }
    if ex.uri.ends_with(b"/") {
        return Ok(None);
    }
    let path = root::file(ex)?;
    let compressed = precompressed::find(ex, &path).await?;
    if let Compressed::Answer(response) = compressed {
        ex.tried("gzip_static", &path, true);
        return Ok(Some(response));
    }
    let links = Links::of(ex);
    let opened = open(ex, &path, &links).await;
    ex.tried("file", &path, matches!(opened, Ok(Found::File(_))));
    match opened {
        Ok(Found::File(_)) if ex.method == Method::POST => Err(Stop::Status(405)),
        Ok(Found::File(file)) => {
            let mut response = answer(ex, &file);
            if matches!(compressed, Compressed::Unwanted) {
                gzip::vary(&mut response);
            }
            Ok(Some(response))
        }
        Ok(Found::Folder) => Err(Stop::Special(Box::new(with_slash(ex)))),
        Ok(Found::Other) => Err(irregular(ex, &path)),
        Err(error) => Err(match (fault::refused(ex, "open()", &path, error), compressed) {
            // Another client may have the compressed form.
            (Stop::Status(status), Compressed::Unwanted) => {
                let mut response = Response::new(status);
                gzip::vary(&mut response);
                Stop::Special(Box::new(response))
            }
            (stop, _) => stop,
        }),
    }
}

/// The answer that a file is.
pub(crate) fn answer(ex: &Exchange<'_>, file: &OpenFile) -> Box<Response> {
    let mut response = boxed(|| Response::new(200));
    response.content_length = Some(file.length);
    response.last_modified = Some(file.modified);
    response.content_type = types::content_type(ex);
    response.allow_ranges = true;
    if ex.location.not_modified.etag {
        response.headers.push("ETag", file.etag.clone());
    }
    response.body = file.body();
    response
}

/// Tells that a path leads to a pipe, a socket or a device.
pub(crate) fn irregular(ex: &Exchange<'_>, path: &Path) -> Stop {
    ex.log(Level::Crit, &format!("\"{}\" is not a regular file", path.display()));
    Stop::Status(404)
}

/// A folder was asked for as if it were a file: the same with a slash.
fn with_slash(ex: &Exchange<'_>) -> Response {
    let mut location = escape(&ex.uri, Escape::Uri).into_owned();
    location.push(b'/');
    if let Some(args) = ex.args.as_ref().filter(|args| !args.is_empty()) {
        location.push(b'?');
        location.extend_from_slice(args);
    }
    let mut response = Response::new(301);
    response.location = Some(Bytes::from(location));
    response
}
