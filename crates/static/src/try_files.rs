//! `try_files`: the first that exists is served.

use bytes::Bytes;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::try_files::{Fallback, Try};
use tidegate_http::exchange::Exchange;
use tidegate_http::stop::Stop;

use crate::fault;
use crate::open_file::is_folder;
use crate::root::Base;
use crate::symlink::Links;

/// Makes the URI that of the first file or folder that exists; where none does, stops with what
/// was said last (nginx: `ngx_http_try_files_handler`).
pub async fn run(ex: &mut Exchange<'_>) -> Result<(), Stop> {
    let location = ex.location;
    let Some(files) = &location.try_files.files else { return Ok(()) };
    let base = Base::of(ex);
    for one in &files.tries {
        if let Some(uri) = exists(ex, &base, one).await {
            ex.uri = uri;
            return Ok(());
        }
    }
    Err(match &files.fallback {
        Fallback::Status(status) => Stop::Status(*status),
        Fallback::Named(name) => Stop::Named(name.clone()),
        Fallback::Uri(uri) => redirect(&ex.render(uri)),
    })
}

/// The URI of what is tried, where it exists.
async fn exists(ex: &mut Exchange<'_>, base: &Base<'_>, one: &Try) -> Option<Bytes> {
    let root = &ex.location.root.root;
    let mut name = ex.render(&one.uri);
    let replaced = root
        .replaces
        .filter(|_| root.alias)
        .and_then(|length| (length <= ex.uri.len()).then(|| ex.uri.slice(..length)));
    // An alias stands for the location's name, which `$uri` begins with.
    if let Some(replaced) = &replaced
        && one.uri.constant().is_none()
        && name.starts_with(replaced)
    {
        name = name.slice(replaced.len()..);
    }
    let path = base.join(&name, Some(&one.uri)).ok()?;
    let links = Links::of(ex);
    let found = is_folder(ex, &path, &links).await;
    ex.tried("try_files", &path, found == Ok(one.folder));
    match found {
        Ok(folder) if folder == one.folder => {}
        Ok(_) => return None,
        Err(error) => {
            if !fault::is_missing(error) {
                let words = fault::words(error);
                ex.log(Level::Crit, &format!("stat() \"{}\" failed ({words})", path.display()));
            }
            return None;
        }
    }
    Some(match replaced {
        Some(replaced) => Bytes::from([replaced, name].concat()),
        // The alias stands for the whole URI, so that it takes a name to go behind it.
        None if root.alias && (one.folder || name.is_empty()) => ex.uri.clone(),
        None if root.alias => {
            ex.behind_alias = true;
            name
        }
        None => name,
    })
}

/// The request goes on with these arguments alone, be they none.
fn redirect(target: &Bytes) -> Stop {
    match memchr::memchr(b'?', target) {
        Some(at) => Stop::Redirect { uri: target.slice(..at), args: Some(target.slice(at + 1..)) },
        None => Stop::Redirect { uri: target.clone(), args: Some(Bytes::new()) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fallback_may_bring_arguments() {
        let parts = |target: &'static str| match redirect(&Bytes::from_static(target.as_bytes())) {
            Stop::Redirect { uri, args } => (uri, args),
            other => panic!("{other:?}"),
        };
        assert_eq!(parts("/a?b=/c?d"), ("/a".into(), Some("b=/c?d".into())));
        assert_eq!(parts("/a"), ("/a".into(), Some(Bytes::new())));
    }
}
