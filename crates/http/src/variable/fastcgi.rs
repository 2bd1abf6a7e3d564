//! `$fastcgi_script_name`, `$fastcgi_path_info`: a path cut in two.

use bytes::Bytes;
use tidegate_config::http::error_log::Level;
use tidegate_config::value::regex::{Captures, Effort};

use crate::exchange::Exchange;

/// The name of the script that a path leads to (nginx: `ngx_http_fastcgi_script_name_variable`).
pub(super) fn script_name(ex: &Exchange<'_>) -> Bytes {
    let (script, _) = split(ex);
    if !script.ends_with(b"/") {
        return script;
    }
    [script.as_ref(), &ex.location.fastcgi.index].concat().into()
}

/// What stands behind it.
pub(super) fn path_info(ex: &Exchange<'_>) -> Bytes {
    split(ex).1
}

/// nginx: `ngx_http_fastcgi_split`.
fn split(ex: &Exchange<'_>) -> (Bytes, Bytes) {
    let whole = || (ex.uri.clone(), Bytes::new());
    let Some(split) = &ex.location.fastcgi.split_path_info else { return whole() };
    let mut groups = Captures::default();
    match split.regex.captures(&ex.uri, &mut groups, &mut Effort::default()) {
        Ok(true) => {
            let group = |number| {
                let range = groups.get(number).filter(|(start, end)| start <= end);
                range.and_then(|(start, end)| ex.uri.get(start..end)).unwrap_or_default()
            };
            (ex.uri.slice_ref(group(1)), ex.uri.slice_ref(group(2)))
        }
        Ok(false) => whole(),
        Err(error) => {
            ex.log(Level::Error, &format!("{error} while matching \"{}\"", split.regex));
            whole()
        }
    }
}
