//! `gzip_static`: `name.gz` in place of `name` (nginx: `ngx_http_gzip_static_module`).

use std::path::{Path, PathBuf};

use http::Method;
use tidegate_config::http::gzip::Precompressed;
use tidegate_http::exchange::Exchange;
use tidegate_http::filter::gzip;
use tidegate_http::response::Response;
use tidegate_http::stop::Stop;

use crate::open_file::{Found, open};
use crate::{fault, file};

/// Whether there is a compressed form of a file, and who may have it.
#[derive(Debug)]
pub(crate) enum Compressed {
    /// There is none, or none is wanted.
    None,
    /// There is one, but not for this client.
    Unwanted,
    /// This is it.
    Answer(Box<Response>),
}

/// Looks for the compressed form of the file at a path.
pub(crate) async fn find(ex: &mut Exchange<'_>, path: &Path) -> Result<Compressed, Stop> {
    let settings = &ex.location.gzip;
    let always = settings.precompressed == Precompressed::Always;
    let reads = matches!(ex.method, Method::GET | Method::HEAD);
    if settings.precompressed == Precompressed::Off || !reads {
        return Ok(Compressed::None);
    }
    let taken = always || gzip::is_taken(ex, &Response::new(200));
    if !taken && !settings.vary {
        return Ok(Compressed::None);
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".gz");
    let path = PathBuf::from(name);
    let file = match open(&path).await {
        Ok(Found::File(file)) => file,
        Ok(Found::Other) if taken => return Err(file::irregular(ex, &path)),
        Ok(Found::Folder | Found::Other) => return Ok(Compressed::None),
        Err(error) if fault::is_missing(error) => return Ok(Compressed::None),
        Err(error) => {
            // The file itself may still be sent.
            let _told = fault::refused(ex, "open()", &path, error);
            return Ok(Compressed::None);
        }
    };
    if !taken {
        return Ok(Compressed::Unwanted);
    }
    let mut response = file::answer(ex, &file);
    response.allow_ranges = false;
    response.headers.push("Content-Encoding", "gzip");
    if settings.vary && !always {
        gzip::vary(&mut response);
    }
    Ok(Compressed::Answer(Box::new(response)))
}
