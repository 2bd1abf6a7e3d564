//! `random_index`: one of a folder's files, drawn by lot (nginx: `ngx_http_random_index_module`).

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use bytes::Bytes;
use http::Method;
use rustix::io::Errno;
use tidegate_http::exchange::Exchange;
use tidegate_http::stop::Stop;

use crate::{fault, root};

/// Goes on with the URI of one of the files in the folder that the URI names; hidden ones are none.
pub(crate) async fn run(ex: &mut Exchange<'_>) -> Result<(), Stop> {
    let reads = matches!(ex.method, Method::GET | Method::HEAD | Method::POST);
    if !ex.location.random_index.enabled || !reads || !ex.uri.ends_with(b"/") {
        return Ok(());
    }
    let path = root::file(ex)?;
    let folder = path.clone();
    let reading = tokio::task::spawn_blocking(move || draw(&folder));
    let drawn = match reading.await.map_err(|_| Stop::Status(500))? {
        Ok(drawn) => drawn,
        Err(error) => {
            let error = Errno::from_io_error(&error).unwrap_or(Errno::IO);
            return match fault::refused(ex, "opendir()", &path, error) {
                Stop::Status(403 | 404) => Ok(()),
                stop => Err(stop),
            };
        }
    };
    let Some(name) = drawn else { return Ok(()) };
    let uri = Bytes::from([ex.uri.as_ref(), &name].concat());
    Err(Stop::Redirect { uri, args: ex.args.clone() })
}

/// A file's name; each is as likely as any other. One pass, whatever their number.
fn draw(folder: &Path) -> io::Result<Option<Vec<u8>>> {
    let (mut drawn, mut count) = (None, 0_u64);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_vec();
        if name.starts_with(b".") {
            continue;
        }
        if fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_file()) {
            count += 1;
            if RandomState::new().hash_one(&name) % count == 0 {
                drawn = Some(name);
            }
        }
    }
    Ok(drawn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_drawn_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(draw(folder.path()).unwrap(), None);
        for name in ["a", "b", ".hidden"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        fs::create_dir(folder.path().join("c")).unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            seen.extend(draw(folder.path()).unwrap());
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [b"a", b"b"]);
    }
}
