//! `PUT`: a file is made or replaced, at once and whole.

use std::fs;
use std::future::poll_fn;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use bytes::BytesMut;
use rustix::io::Errno;
use tempfile::NamedTempFile;
use tidegate_config::http::error_log::Level;
use tidegate_http::date::parse_http_date;
use tidegate_http::exchange::Exchange;
use tidegate_http::response::Response;
use tidegate_http::stop::Stop;

use super::{Refused, beside, created, tree};
use crate::root;

/// How much of a body is written at a time, in bytes.
const PIECE: usize = 256 * 1024;

/// nginx: `ngx_http_dav_put_handler`
pub(super) async fn run(ex: &mut Exchange<'_>) -> Result<Response, Stop> {
    if ex.uri.ends_with(b"/") {
        ex.log(Level::Error, "cannot PUT to a collection");
        return Err(Stop::Status(409));
    }
    if ex.request.headers.contains("Content-Range") {
        ex.log(Level::Error, "PUT with range is unsupported");
        return Err(Stop::Status(501));
    }
    let path = root::file(ex)?;
    let dav = &ex.location.dav;
    let (create, access) = (dav.create_path, dav.access);
    let target = path.clone();
    let begun = beside(move || begin(&target, create.then(|| access.folder()))).await?;
    let (file, existed) = begun.map_err(|refused| refused.stop(ex, 409))?;
    let file = receive(ex, file, &path).await?;
    let time = ex.request.headers.get("Date").and_then(|date| parse_http_date(date));
    let finish = move || {
        if let Some(time) = time.and_then(|time| u64::try_from(time).ok()) {
            let _kept = file.as_file().set_modified(UNIX_EPOCH + Duration::from_secs(time));
        }
        tree::settle(file, &path, access.file)
    };
    beside(finish).await?.map_err(|refused| refused.stop(ex, 409))?;
    Ok(if existed { Response::new(204) } else { created(ex) })
}

/// Makes the file that is to take a path's place, and says whether there is one already.
fn begin(path: &Path, create: Option<u32>) -> Result<(NamedTempFile, bool), Refused> {
    let existed = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            return Err(Refused::new("open()", path, Errno::ISDIR));
        }
        metadata => metadata.is_ok(),
    };
    if let (Some(mode), Some(folder)) = (create, path.parent()) {
        let made = fs::DirBuilder::new().recursive(true).mode(mode).create(folder);
        made.map_err(|error| tree::refused("mkdir()", folder, &error))?;
    }
    Ok((tree::beside(path)?, existed))
}

/// Writes the body into a file, on another thread.
async fn receive(
    ex: &mut Exchange<'_>,
    mut file: NamedTempFile,
    path: &Path,
) -> Result<NamedTempFile, Stop> {
    let mut waiting = BytesMut::new();
    loop {
        let next = poll_fn(|cx| ex.body.poll_data(cx)).await;
        let ended = next.is_none();
        if let Some(bytes) = next {
            let bytes = bytes.map_err(|error| {
                ex.log(error.level(), &format!("{error} while reading client request body"));
                Stop::from(error)
            })?;
            waiting.extend_from_slice(&bytes);
        }
        if waiting.len() >= PIECE || ended {
            let bytes = waiting.split().freeze();
            let written = beside(move || file.write_all(&bytes).map(|()| file)).await?;
            let shown = || PathBuf::from(path);
            file = written
                .map_err(|error| tree::refused("write()", &shown(), &error).stop(ex, 409))?;
        }
        if ended {
            return Ok(file);
        }
    }
}
