//! Content from disk.
#![forbid(unsafe_code)]

mod autoindex;
pub mod dav;
pub mod echo;
pub mod empty_gif;
mod fault;
mod file;
mod index;
mod open_file;
mod precompressed;
mod random_index;
mod root;
mod symlink;
pub mod try_files;
mod types;

pub use open_file::forget_open_files;

use tidegate_config::http::error_log::Level;
use tidegate_http::exchange::Exchange;
use tidegate_http::response::Response;
use tidegate_http::stop::Stop;

/// Answers with a file, a folder's index or its listing (nginx: the handlers of the content phase,
/// in this order).
pub async fn respond(ex: &mut Exchange<'_>) -> Result<Box<Response>, Stop> {
    // What is rarely on is boxed, so that requests stay small.
    if ex.location.random_index.enabled {
        Box::pin(random_index::run(ex)).await?;
    }
    if ex.uri.ends_with(b"/") {
        Box::pin(index::run(ex)).await?;
    }
    if ex.location.autoindex.enabled
        && let Some(response) = Box::pin(autoindex::respond(ex)).await?
    {
        return Ok(Box::new(response));
    }
    if !ex.location.dav.methods.is_empty()
        && let Some(response) = Box::pin(dav::respond(ex)).await?
    {
        return Ok(Box::new(response));
    }
    if let Some(response) = file::respond(ex).await? {
        return Ok(response);
    }
    let path = root::file(ex)?;
    ex.log(Level::Error, &format!("directory index of \"{}\" is forbidden", path.display()));
    Err(Stop::Status(403))
}
