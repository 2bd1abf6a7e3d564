//! `index`: a folder's first file that exists.

use std::path::Path;

use bytes::Bytes;
use http::Method;
use rustix::io::Errno;
use tidegate_config::http::error_log::Level;
use tidegate_http::exchange::Exchange;
use tidegate_http::stop::Stop;

use crate::fault;
use crate::open_file::is_folder;
use crate::root::{self, Base};
use crate::symlink::Links;

/// Goes on with the URI of a folder's index, where the URI names a folder and there is one (nginx:
/// `ngx_http_index_handler`).
pub(crate) async fn run(ex: &mut Exchange<'_>) -> Result<(), Stop> {
    let reads = matches!(ex.method, Method::GET | Method::HEAD | Method::POST);
    if !reads {
        return Ok(());
    }
    let base = Base::of(ex);
    let links = Links::of(ex);
    let folder = root::rest(ex)?;
    let mut tested = false;
    let location = ex.location;
    for file in location.index.files.iter().flat_map(|files| &files.0) {
        let name = ex.render(file);
        if name.starts_with(b"/") {
            return Err(Stop::Redirect { uri: name, args: ex.args.clone() });
        }
        let Ok(path) = base.join(&[folder.as_ref(), &name].concat(), Some(file)) else {
            continue;
        };
        let found = is_folder(ex, &path, &links).await;
        ex.tried("index", &path, found.is_ok());
        let Err(error) = found else {
            let uri = Bytes::from([ex.uri.as_ref(), &name].concat());
            return Err(Stop::Redirect { uri, args: ex.args.clone() });
        };
        if matches!(error, Errno::NOTDIR | Errno::NAMETOOLONG | Errno::ACCESS | Errno::LOOP) {
            return Err(refused(ex, &path, error));
        }
        if !tested {
            test_folder(ex, &base.join(&folder, None)?, (&path, &links)).await?;
            tested = true;
        }
        if error != Errno::NOENT {
            return Err(fault::refused(ex, "stat()", &path, error));
        }
    }
    Ok(())
}

/// A folder that does not exist has no index, and is not forbidden either.
async fn test_folder(
    ex: &Exchange<'_>,
    folder: &Path,
    (file, links): (&Path, &Links),
) -> Result<(), Stop> {
    let message = match is_folder(ex, folder, links).await {
        Ok(true) | Err(Errno::ACCESS) => return Ok(()),
        Err(Errno::NOENT) => return Err(refused(ex, file, Errno::NOENT)),
        Ok(false) => format!("\"{}\" is not a directory", folder.display()),
        Err(error) => return Err(fault::refused(ex, "stat()", folder, error)),
    };
    ex.log(Level::Crit, &message);
    Err(Stop::Status(500))
}

fn refused(ex: &Exchange<'_>, path: &Path, error: Errno) -> Stop {
    let words = fault::words(error);
    if matches!(error, Errno::ACCESS | Errno::LOOP) {
        ex.log(Level::Error, &format!("\"{}\" is forbidden ({words})", path.display()));
        return Stop::Status(403);
    }
    if ex.location.log.not_found {
        ex.log(Level::Error, &format!("\"{}\" is not found ({words})", path.display()));
    }
    Stop::Status(404)
}
