//! `dav_methods`: files that clients change (nginx: `ngx_http_dav_module`).

mod copy;
mod put;
mod tree;

use std::path::{Path, PathBuf};

use rustix::io::Errno;
use tidegate_config::http::error_log::Level;
use tidegate_http::exchange::Exchange;
use tidegate_http::response::Response;
use tidegate_http::shortage;
use tidegate_http::stop::Stop;
use tidegate_http::uri::escape::{Escape, escape};

use crate::root::Base;
use crate::{fault, root};

/// The call that makes a new file; where it fails, be it for want of the folder, nginx answers 500.
const CREATION: &str = "creat()";

/// What the system has refused.
#[derive(Clone, Debug)]
struct Refused {
    /// The call, as `mkdir()`.
    call: &'static str,
    path: PathBuf,
    error: Errno,
}

impl Refused {
    fn new(call: &'static str, path: &Path, error: Errno) -> Self {
        Self { call, path: path.to_path_buf(), error }
    }

    /// Tells it, and says what is answered; `missing` where something is not there (nginx:
    /// `ngx_http_dav_error`).
    fn stop(&self, ex: &Exchange<'_>, missing: u16) -> Stop {
        let (path, words) = (self.path.display(), fault::words(self.error));
        let text = format!("{} \"{path}\" failed ({words})", self.call);
        if shortage::is_shortage(&self.error.into()) {
            return fault::lacking(ex, &text);
        }
        let (level, status) = match self.error {
            error if self.call == CREATION && error != Errno::NOSPC => (Level::Crit, 500),
            error if fault::is_missing(error) => (Level::Error, missing),
            Errno::EXIST => (Level::Error, 405),
            Errno::ACCESS | Errno::PERM | Errno::LOOP => (Level::Error, 403),
            Errno::ISDIR => (Level::Error, 409),
            Errno::NOSPC => (Level::Crit, 507),
            _ => (Level::Crit, 500),
        };
        ex.log(level, &text);
        Stop::Status(status)
    }
}

/// How deep a method goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    Zero,
    One,
    Infinity,
    Invalid,
}

/// Whether a request is one that changes files.
pub fn changes(ex: &Exchange<'_>) -> bool {
    let methods = &ex.location.dav.methods;
    !methods.is_empty() && methods.contains(ex.method.as_str())
}

/// Changes what the URI names, where the method is one that may; `None` where it is not.
pub(crate) async fn respond(ex: &mut Exchange<'_>) -> Result<Option<Response>, Stop> {
    if !changes(ex) {
        return Ok(None);
    }
    let method = ex.method.as_str().to_owned();
    if method == "PUT" {
        if !ex.uri.ends_with(b"/") {
            let path = root::file(ex)?;
            stays_inside(ex, &path).await?;
        }
        return put::run(ex).await.map(Some);
    }
    if ex.request.content_length.is_some_and(|length| length > 0) || ex.request.chunked {
        ex.log(Level::Error, &format!("{method} with body is unsupported"));
        return Err(Stop::Status(415));
    }
    let path = root::file(ex)?;
    stays_inside(ex, &path).await?;
    match method.as_str() {
        "DELETE" => delete(ex).await,
        "MKCOL" => make(ex).await,
        _ => copy::run(ex).await,
    }
    .map(Some)
}

async fn delete(ex: &mut Exchange<'_>) -> Result<Response, Stop> {
    let names = ex.uri.split(|&byte| byte == b'/').filter(|name| !name.is_empty()).count();
    if names < ex.location.dav.min_delete_depth as usize {
        ex.log(Level::Error, &format!("insufficient URI depth:{names} to delete"));
        return Err(Stop::Status(409));
    }
    let path = without_slash(&root::file(ex)?);
    let is_folder = match tree::is_folder(&path) {
        Ok(is_folder) => is_folder,
        Err(error) => {
            let status = if error == Errno::NOTDIR { 409 } else { 404 };
            return Err(Refused::new("lstat()", &path, error).stop(ex, status));
        }
    };
    let slash = ex.uri.ends_with(b"/");
    if slash && !is_folder {
        return Err(Refused::new("lstat()", &path, Errno::NOTDIR).stop(ex, 409));
    }
    if is_folder && !slash {
        return Err(Refused::new("DELETE", &path, Errno::ISDIR).stop(ex, 409));
    }
    let depth = depth(ex, if is_folder { Depth::Infinity } else { Depth::Zero });
    if is_folder && depth != Depth::Infinity {
        ex.log(Level::Error, "\"Depth\" header must be infinity");
        return Err(Stop::Status(400));
    }
    if !matches!(depth, Depth::Zero | Depth::Infinity) {
        ex.log(Level::Error, "\"Depth\" header must be 0 or infinity");
        return Err(Stop::Status(400));
    }
    beside(move || tree::remove(&path)).await?.map_err(|refused| refused.stop(ex, 404))?;
    Ok(Response::new(204))
}

async fn make(ex: &mut Exchange<'_>) -> Result<Response, Stop> {
    if !ex.uri.ends_with(b"/") {
        ex.log(Level::Error, "MKCOL can create a collection only");
        return Err(Stop::Status(409));
    }
    let path = without_slash(&root::file(ex)?);
    let rights = ex.location.dav.access.folder();
    let made = beside(move || tree::make(&path, rights)).await?;
    made.map_err(|refused| refused.stop(ex, 409))?;
    Ok(created(ex))
}

/// An answer of 201 that says where it is.
fn created(ex: &Exchange<'_>) -> Response {
    let mut response = Response::new(201);
    response.location = Some(escape(&ex.uri, Escape::Uri).into_owned().into());
    response
}

/// Refuses a path that a link leads out of the root with: what is written must stay inside.
async fn stays_inside(ex: &mut Exchange<'_>, path: &Path) -> Result<(), Stop> {
    let (base, target) = (Base::of(ex).folder(), without_slash(path));
    let path = target.clone();
    let inside = beside(move || {
        let root = base
            .canonicalize()
            .or_else(|_| base.parent().map_or_else(|| base.canonicalize(), Path::canonicalize));
        let there = path.ancestors().skip(1).find_map(|folder| folder.canonicalize().ok());
        root.ok().zip(there).is_none_or(|(root, there)| there.starts_with(root))
    });
    if inside.await? {
        return Ok(());
    }
    ex.log(Level::Error, &format!("\"{}\" leads out of the root by a link", target.display()));
    Err(Stop::Status(403))
}

/// What `Depth` says (RFC 4918, section 10.2).
fn depth(ex: &Exchange<'_>, unsaid: Depth) -> Depth {
    let Some(value) = ex.request.headers.get("Depth") else { return unsaid };
    match value.as_ref() {
        b"0" => Depth::Zero,
        b"1" => Depth::One,
        b"infinity" => Depth::Infinity,
        _ => {
            let value = String::from_utf8_lossy(value);
            ex.log(Level::Error, &format!("client sent invalid \"Depth\" header: \"{value}\""));
            Depth::Invalid
        }
    }
}

fn without_slash(path: &Path) -> PathBuf {
    path.components().collect()
}

/// Does something on another thread.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Stop> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Stop::Status(500))
}
