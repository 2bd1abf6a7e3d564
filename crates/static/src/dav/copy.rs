//! `COPY` and `MOVE`: a file or a folder gets another place.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use rustix::io::Errno;
use tidegate_config::http::error_log::Level;
use tidegate_http::exchange::Exchange;
use tidegate_http::response::Response;
use tidegate_http::stop::Stop;
use tidegate_http::uri::redirect::parse_unsafe;

use super::{Depth, Refused, beside, depth, stays_inside, tree, without_slash};
use crate::root;

/// nginx: `ngx_http_dav_copy_move_handler`
pub(super) async fn run(ex: &mut Exchange<'_>) -> Result<Response, Stop> {
    let moves = ex.method.as_str() == "MOVE";
    let target = destination(ex)?;
    if ex.uri.ends_with(b"/") != target.ends_with(b"/") {
        let (from, to) = (text(&ex.uri), text(&target));
        let told = format!(
            "both URI \"{from}\" and \"Destination\" URI \"{to}\" should be either collections or non-collections"
        );
        ex.log(Level::Error, &told);
        return Err(Stop::Status(409));
    }
    // With 0, too, all that is in a folder goes along, as from nginx.
    let depth = depth(ex, Depth::Infinity);
    if depth != Depth::Infinity && (moves || depth != Depth::Zero) {
        let word = if moves { "infinity" } else { "0 or infinity" };
        ex.log(Level::Error, &format!("\"Depth\" header must be {word}"));
        return Err(Stop::Status(400));
    }
    let overwrite = overwrite(ex)?;
    let from = without_slash(&root::file(ex)?);
    let to = path_of(ex, &target)?;
    stays_inside(ex, &to).await?;
    let slash = target.ends_with(b"/");
    let work = move || act(&from, &to, &Manner { moves, overwrite, slash });
    beside(work).await?.map_err(|refused| match refused {
        Failed::Status(status, told) => {
            ex.log(Level::Error, &told);
            Stop::Status(status)
        }
        Failed::Refused(refused, missing) => refused.stop(ex, missing),
    })?;
    Ok(Response::new(if slash { 201 } else { 204 }))
}

/// How it is done.
struct Manner {
    moves: bool,
    overwrite: bool,
    /// Whether the URIs say that it is a folder.
    slash: bool,
}

/// Why it is not done.
enum Failed {
    Status(u16, String),
    /// With the status for what is not there.
    Refused(Refused, u16),
}

fn act(from: &Path, to: &Path, manner: &Manner) -> Result<(), Failed> {
    let shown = |path: &Path| path.display().to_string();
    let exists = match tree::is_folder(to) {
        Ok(folder) => {
            if folder && !manner.slash {
                let told = format!("\"{}\" could not be replaced by a file", shown(to));
                return Err(Failed::Status(409, told));
            }
            if !manner.overwrite {
                let told = format!("\"{}\" exists", shown(to));
                return Err(Failed::Status(412, told));
            }
            true
        }
        Err(Errno::NOENT) => false,
        Err(error) => return Err(Failed::Refused(Refused::new("lstat()", to, error), 409)),
    };
    let folder = tree::is_folder(from)
        .map_err(|error| Failed::Refused(Refused::new("lstat()", from, error), 404))?;
    if folder != manner.slash {
        let told = format!("\"{}\" is not what its URI says", shown(from));
        return Err(Failed::Status(if folder { 400 } else { 409 }, told));
    }
    if to.starts_with(from) && (manner.moves || to == from) || from.starts_with(to) {
        let told = format!("\"{}\" and \"{}\" lie in each other", shown(from), shown(to));
        return Err(Failed::Status(409, told));
    }
    if exists && folder {
        tree::remove(to).map_err(|refused| Failed::Refused(refused, 404))?;
    }
    let done = if manner.moves { tree::rename(from, to) } else { tree::copy(from, to) };
    done.map_err(|refused| Failed::Refused(refused, 409))
}

/// The path that `Destination` names, which must be of this server.
fn destination(ex: &Exchange<'_>) -> Result<Bytes, Stop> {
    let refuse = |told: &str, status| {
        ex.log(Level::Error, told);
        Err(Stop::Status(status))
    };
    let Some(value) = ex.request.headers.get("Destination").cloned() else {
        return refuse("client sent no \"Destination\" header", 400);
    };
    let invalid = format!("client sent invalid \"Destination\" header: \"{}\"", text(&value));
    let path = if value.starts_with(b"/") {
        value
    } else {
        // A proxy before us may have taken TLS off.
        let plain = value.strip_prefix(b"http://").or_else(|| value.strip_prefix(b"https://"));
        let Some(rest) = plain else { return refuse(&invalid, 400) };
        let rest = value.slice_ref(rest);
        let host = ex.request.host.as_deref().unwrap_or_default();
        let Some(behind) = rest.strip_prefix(host).filter(|_| !host.is_empty()) else {
            let told = "\"Destination\" URI is handled by different repository than the source URI";
            return refuse(told, 400);
        };
        let Some(slash) = memchr::memchr(b'/', behind) else { return refuse(&invalid, 400) };
        let port = behind.get(..slash).unwrap_or_default();
        let digits = port.strip_prefix(b":").unwrap_or(port);
        if !digits.iter().all(u8::is_ascii_digit) || digits.len() == port.len() && slash > 0 {
            return refuse(&invalid, 400);
        }
        rest.slice(rest.len() - behind.len() + slash..)
    };
    match parse_unsafe(&path) {
        Some(uri) => Ok(uri.path),
        None => refuse(&invalid, 400),
    }
}

fn overwrite(ex: &Exchange<'_>) -> Result<bool, Stop> {
    let Some(value) = ex.request.headers.get("Overwrite") else { return Ok(true) };
    match value.as_ref() {
        b"T" | b"t" => Ok(true),
        b"F" | b"f" => Ok(false),
        _ => {
            let told = format!("client sent invalid \"Overwrite\" header: \"{}\"", text(value));
            ex.log(Level::Error, &told);
            Err(Stop::Status(400))
        }
    }
}

/// Where another URI of this location lies.
fn path_of(ex: &mut Exchange<'_>, uri: &Bytes) -> Result<PathBuf, Stop> {
    let own = std::mem::replace(&mut ex.uri, uri.clone());
    let path = root::file(ex);
    ex.uri = own;
    path.map(|path| without_slash(&path))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
