//! `gzip_static`, `brotli_static`, `zstd_static`: `name.gz` and its like in place of `name`.

use std::path::{Path, PathBuf};

use http::Method;
use tidegate_config::http::gzip::Precompressed;
use tidegate_http::exchange::Exchange;
use tidegate_http::filter::compression::accept::Accepted;
use tidegate_http::filter::gzip;
use tidegate_http::response::Response;
use tidegate_http::stop::Stop;

use crate::open_file::{Found, open};
use crate::symlink::Links;
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

/// A form that a file may have.
#[derive(Clone, Copy, Debug)]
struct Form {
    suffix: &'static str,
    /// Its name in `Content-Encoding`.
    coding: &'static str,
    /// How much the client likes it, in thousandths; one that is always sent is liked least.
    liked: u16,
    always: bool,
}

/// Looks for the compressed form of the file at a path that the client likes best (nginx:
/// `ngx_http_gzip_static_handler`).
pub(crate) async fn find(ex: &mut Exchange<'_>, path: &Path) -> Result<Compressed, Stop> {
    let location = ex.location;
    let (gzip, brotli, zstd) =
        (location.gzip.precompressed, location.brotli.precompressed, location.zstd.precompressed);
    if [gzip, brotli, zstd] == [Precompressed::Off; 3]
        || !matches!(ex.method, Method::GET | Method::HEAD)
    {
        return Ok(Compressed::None);
    }
    // Boxed, so that requests without it stay small.
    Box::pin(search(ex, path, [brotli, zstd, gzip])).await
}

async fn search(
    ex: &mut Exchange<'_>,
    path: &Path,
    settings: [Precompressed; 3],
) -> Result<Compressed, Stop> {
    let location = ex.location;
    let vary = location.gzip.vary;
    let links = Links::of(ex);
    let mut unwanted = false;
    for form in forms(ex, settings) {
        let taken = form.liked > 0 || form.always;
        if !taken && (!vary || unwanted) {
            continue;
        }
        let mut name = path.as_os_str().to_owned();
        name.push(form.suffix);
        let path = PathBuf::from(name);
        let file = match open(ex, &path, &links).await {
            Ok(Found::File(file)) => file,
            Ok(Found::Other) if taken => return Err(file::irregular(ex, &path)),
            Ok(Found::Folder | Found::Other) => continue,
            Err(error) if fault::is_missing(error) => continue,
            Err(error) => {
                // The file itself may still be sent.
                let _told = fault::refused(ex, "open()", &path, error);
                continue;
            }
        };
        if !taken {
            unwanted = true;
            continue;
        }
        let mut response = file::answer(ex, &file);
        response.allow_ranges = false;
        response.headers.push("Content-Encoding", form.coding);
        if vary && !form.always {
            gzip::vary(&mut response);
        }
        return Ok(Compressed::Answer(response));
    }
    Ok(if unwanted { Compressed::Unwanted } else { Compressed::None })
}

/// The forms that the configuration has, the most liked first.
fn forms(ex: &Exchange<'_>, [brotli, zstd, gzip]: [Precompressed; 3]) -> Vec<Form> {
    let fields = ex.request.headers.all(b"Accept-Encoding");
    let accepted = Accepted::of(fields.map(AsRef::as_ref));
    let form = |setting, suffix, coding: &'static str| {
        let always = setting == Precompressed::Always;
        let liked = if always { 0 } else { accepted.quality(coding.as_bytes()) };
        (setting != Precompressed::Off).then_some(Form { suffix, coding, liked, always })
    };
    let mut gzip = form(gzip, ".gz", "gzip");
    if let Some(gzip) = &mut gzip
        && !gzip.always
    {
        let taken = gzip::is_taken(ex, &Response::new(200));
        gzip.liked = if taken { gzip.liked.max(1) } else { 0 };
    }
    let all = [form(brotli, ".br", "br"), form(zstd, ".zst", "zstd"), gzip];
    let mut forms: Vec<Form> = all.into_iter().flatten().collect();
    forms.sort_by_key(|form| std::cmp::Reverse((form.liked, form.always)));
    forms
}
